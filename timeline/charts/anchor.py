"""Where on a page the part of one patient is: for links from pictures and from the page itself; knows text only."""

import re


def anchor(patient_id: str) -> str:
    """Return `patient-` and the id, every character outside [A-Za-z0-9_-] as the %XX of its UTF-8 bytes."""
    coded = re.sub(
        r"[^A-Za-z0-9_-]",
        lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass")),
        patient_id,
    )
    return f"patient-{coded}"
