"""What happens to a patient of the benchmark, as a table; knows no SQL.

Made up, for load only: frequencies are chosen so that every shipped rule has work to do, not to resemble a disease.
"""

from dataclasses import dataclass

EVENTS_A_PATIENT = 500
CODES = 314
"""Distinct codes in a file, those of `KINDS` among them; the others are local codes that nothing maps."""


@dataclass(frozen=True)
class Kind:
    """`count` events of a code for a `share` of the patients, between two hours after `anchor`."""

    code: str
    count: int
    share: float
    hours: tuple[float, float]
    anchor: str = "infusion"
    values: tuple[float, float] | None = None
    skew: float = 1.0
    """Above 1: low values are the common ones."""
    decimals: int = 0
    unit: str = ""
    words: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    longest: int = 0
    """Hours; above 0: two in three events have an end."""
    bounded: bool = False
    """One in fifty values is only a bound."""


IV = ("intravenous",)
DEVICES = ("none", "nasal_cannula", "nasal_cannula", "high_flow_cannula", "face_mask", "nonrebreather", "ventilator")
CYTOKINES = ("il2", "il7", "il10", "il15", "ccl2", "ccl3", "ccl4", "cxcl10")

KINDS = (
    Kind("axicabtagene_ciloleucel", 1, 0.5, (0, 0), values=None),
    Kind("tisagenlecleucel", 1, 0.5, (0, 0), values=None),
    Kind("LOINC/8310-5", 20, 1.0, (-24, 14 * 24), values=(36.2, 40.6), skew=2.5, decimals=1, unit="Cel"),
    Kind("LOINC/8480-6", 10, 1.0, (0, 12 * 24), values=(82, 150), decimals=0, unit="mm[Hg]"),
    Kind("mean_arterial_pressure", 4, 0.8, (0, 10 * 24), values=(58, 110), decimals=0, unit="mm[Hg]"),
    Kind("spo2", 4, 1.0, (0, 10 * 24), values=(86, 100), skew=0.5, decimals=0, unit="%"),
    Kind("oxygen_device", 6, 0.5, (12, 9 * 24), values=(1, 15), decimals=0, unit="L/min", words=DEVICES, longest=30),
    Kind("norepinephrine", 2, 0.15, (24, 8 * 24), values=(0.02, 0.4), decimals=2, unit="ug/kg/min", longest=20),
    Kind("vasopressin", 1, 0.05, (24, 8 * 24), values=(0.01, 0.04), decimals=2, unit="U/min", longest=20),
    Kind("documented_crs_grade", 2, 0.6, (12, 10 * 24), values=(0, 4), skew=1.5),
    Kind("documented_icans_grade", 5, 0.7, (0, 10 * 24), anchor="onset", values=(0, 4.4)),
    Kind("ice_score", 6, 0.9, (-48, 10 * 24), anchor="onset", values=(0, 10.4), skew=0.4),
    Kind(
        "consciousness", 4, 0.9, (-48, 10 * 24), anchor="onset", words=("alert", "alert", "awake", "voice", "tactile")
    ),
    Kind("seizure", 1, 0.05, (0, 96), anchor="onset", words=("brief", "prolonged")),
    Kind("motor_weakness", 1, 0.02, (0, 96), anchor="onset", words=("focal_deep",)),
    Kind(
        "RxNorm/3264",
        8,
        0.6,
        (2, 120),
        anchor="onset",
        values=(4, 20),
        decimals=0,
        unit="mg",
        routes=(*IV, *IV, "oral"),
    ),
    Kind("RxNorm/6902", 3, 0.3, (24, 240), anchor="onset", values=(40, 1000), skew=2, unit="mg", routes=IV),
    Kind("prednisone", 2, 0.2, (120, 600), anchor="onset", values=(5, 60), unit="mg", routes=("oral",)),
    Kind("hydrocortisone", 2, 0.1, (0, 400), values=(20, 100), unit="mg", routes=(*IV, "topical")),
    Kind("anakinra", 3, 0.35, (30, 130), anchor="onset", values=(100, 200), unit="mg", routes=("subcutaneous",)),
    Kind("anakinra", 1, 0.1, (300, 400), anchor="onset", values=(100, 200), unit="mg", routes=("subcutaneous",)),
    Kind("tocilizumab", 2, 0.5, (24, 200), values=(400, 800), unit="mg", routes=IV),
    Kind("LOINC/1988-5", 5, 1.0, (-24, 20 * 24), values=(1, 350), skew=2, decimals=1, unit="mg/L", bounded=True),
    Kind("LOINC/2276-4", 5, 1.0, (-24, 20 * 24), values=(50, 20000), skew=3, decimals=0, unit="ng/mL", bounded=True),
    Kind("LOINC/751-8", 6, 1.0, (-48, 45 * 24), values=(0.1, 9), skew=2, decimals=2, unit="10*3/uL", bounded=True),
    Kind("LOINC/777-3", 6, 1.0, (-48, 45 * 24), values=(5, 300), skew=1.5, decimals=0, unit="K/uL"),
    Kind("ldh", 1, 1.0, (-24, 20 * 24), values=(100, 3000), skew=3, decimals=0, unit="U/L"),
    Kind("LOINC/718-7", 1, 1.0, (-24, 30 * 24), values=(6, 15), decimals=1, unit="g/dL"),
    Kind("LOINC/2160-0", 1, 1.0, (-24, 30 * 24), values=(0.4, 4), skew=2, decimals=2, unit="mg/dL"),
    *(Kind(name, 1, 0.3, (-20, 0), values=(1, 900), skew=2, decimals=1, unit="pg/mL") for name in CYTOKINES),
    *(
        Kind(name, 2, 0.3, (0, 250), anchor="onset", values=(1, 9000), skew=3, decimals=1, unit="pg/mL", bounded=True)
        for name in CYTOKINES
    ),
    Kind("response_assessment", 1, 0.8, (28 * 24, 35 * 24), words=("CR", "PR", "SD", "PD")),
    Kind("last_follow_up", 1, 0.6, (60 * 24, 1400 * 24)),
    Kind("death", 1, 0.35, (18 * 24, 700 * 24), words=("progressive disease", "infection", "ICANS")),
)
