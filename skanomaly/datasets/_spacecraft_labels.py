"""Channels of the telemetry of two spacecraft: spacecraft, number of test time points, labelled intervals.

From labeled_anomalies.csv of https://github.com/khundman/telemanom, Apache-2.0 licence.
"""

from typing import NamedTuple

__all__ = ["CHANNELS", "Channel"]


class Channel(NamedTuple):
    """Spacecraft, number of test time points, and first and last time points of the anomalies."""

    spacecraft: str
    n_timepoints: int
    intervals: tuple[tuple[int, int], ...]


CHANNELS: dict[str, Channel] = {
    "A-1": Channel("SMAP", 8640, ((4690, 4774),)),
    "A-2": Channel("SMAP", 7914, ((4450, 4560),)),
    "A-3": Channel("SMAP", 8205, ((4575, 4760),)),
    "A-4": Channel("SMAP", 8080, ((4550, 4660),)),
    "A-5": Channel("SMAP", 4693, ((2750, 2800),)),
    "A-6": Channel("SMAP", 4453, ((1890, 1930),)),
    "A-7": Channel("SMAP", 8631, ((6200, 8600),)),
    "A-8": Channel("SMAP", 8375, ((4569, 8374),)),
    "A-9": Channel("SMAP", 8434, ((4569, 8433),)),
    "B-1": Channel("SMAP", 8044, ((5060, 5130),)),
    "C-1": Channel(
        "MSL",
        2264,
        (
            (550, 750),
            (2100, 2210),
        ),
    ),
    "C-2": Channel(
        "MSL",
        2051,
        (
            (290, 390),
            (1540, 1575),
        ),
    ),
    "D-1": Channel("SMAP", 8509, ((5250, 8508),)),
    "D-2": Channel("SMAP", 8595, ((4319, 8536),)),
    "D-3": Channel("SMAP", 8640, ((5225, 8500),)),
    "D-4": Channel("SMAP", 8473, ((5225, 8472),)),
    "D-5": Channel("SMAP", 7628, ((4800, 4850),)),
    "D-6": Channel("SMAP", 7884, ((4870, 4950),)),
    "D-7": Channel("SMAP", 7642, ((4940, 7641),)),
    "D-8": Channel("SMAP", 7874, ((4370, 4420),)),
    "D-9": Channel("SMAP", 7406, ((6250, 7405),)),
    "D-11": Channel("SMAP", 7431, ((4270, 4330),)),
    "D-12": Channel("SMAP", 7918, ((5178, 7917),)),
    "D-13": Channel("SMAP", 7663, ((5070, 5230),)),
    "D-14": Channel(
        "MSL",
        2625,
        (
            (1630, 1650),
            (1800, 2000),
        ),
    ),
    "D-15": Channel("MSL", 2158, ((1500, 2140),)),
    "D-16": Channel("MSL", 2191, ((600, 1250),)),
    "E-1": Channel(
        "SMAP",
        8516,
        (
            (5000, 5030),
            (5610, 6086),
        ),
    ),
    "E-2": Channel("SMAP", 8532, ((5598, 6995),)),
    "E-3": Channel("SMAP", 8307, ((5094, 8306),)),
    "E-4": Channel("SMAP", 8354, ((5450, 8261),)),
    "E-5": Channel("SMAP", 8294, ((5600, 5920),)),
    "E-6": Channel("SMAP", 8300, ((5610, 5675),)),
    "E-7": Channel("SMAP", 8310, ((5394, 5674),)),
    "E-8": Channel("SMAP", 8532, ((5400, 6022),)),
    "E-9": Channel("SMAP", 8302, ((5550, 5900),)),
    "E-10": Channel(
        "SMAP",
        8505,
        (
            (5000, 5050),
            (5601, 5871),
        ),
    ),
    "E-11": Channel(
        "SMAP",
        8514,
        (
            (5000, 5050),
            (5614, 5857),
        ),
    ),
    "E-12": Channel(
        "SMAP",
        8512,
        (
            (5000, 5050),
            (5610, 6141),
        ),
    ),
    "E-13": Channel(
        "SMAP",
        8640,
        (
            (5309, 5410),
            (5600, 5640),
            (6449, 6569),
        ),
    ),
    "F-1": Channel("SMAP", 8584, ((5392, 5492),)),
    "F-2": Channel("SMAP", 8626, ((5669, 8625),)),
    "F-3": Channel("SMAP", 8376, ((5600, 5640),)),
    "F-4": Channel("MSL", 3422, ((2700, 2770),)),
    "F-5": Channel("MSL", 3922, ((3550, 3700),)),
    "F-7": Channel(
        "MSL",
        5054,
        (
            (1250, 1450),
            (2670, 2790),
            (3325, 3425),
        ),
    ),
    "F-8": Channel("MSL", 2487, ((1950, 2486),)),
    "G-1": Channel("SMAP", 8469, ((4770, 4890),)),
    "G-2": Channel("SMAP", 7361, ((4030, 4070),)),
    "G-3": Channel("SMAP", 7907, ((4200, 4250),)),
    "G-4": Channel("SMAP", 7632, ((4690, 4720),)),
    "G-6": Channel("SMAP", 8640, ((5600, 5700),)),
    "G-7": Channel(
        "SMAP",
        8029,
        (
            (3650, 3750),
            (5050, 5100),
            (7560, 7675),
        ),
    ),
    "M-1": Channel("MSL", 2277, ((1110, 2250),)),
    "M-2": Channel("MSL", 2277, ((1110, 2250),)),
    "M-3": Channel("MSL", 2127, ((1250, 1500),)),
    "M-4": Channel("MSL", 2038, ((1250, 1500),)),
    "M-5": Channel("MSL", 2303, ((1250, 1550),)),
    "M-6": Channel("MSL", 2049, ((1850, 2030),)),
    "M-7": Channel("MSL", 2156, ((940, 1040),)),
    "P-1": Channel(
        "SMAP",
        8505,
        (
            (2149, 2349),
            (3539, 3779),
            (4536, 4844),
        ),
    ),
    "P-2": Channel(
        "SMAP",
        8209,
        (
            (5300, 6420),
            (5350, 6575),
        ),
    ),
    "P-3": Channel("SMAP", 8493, ((5401, 6736),)),
    "P-4": Channel(
        "SMAP",
        7783,
        (
            (950, 1080),
            (2150, 2350),
            (4770, 4880),
        ),
    ),
    "P-7": Channel("SMAP", 8071, ((4950, 6600),)),
    "P-10": Channel("MSL", 6100, ((4590, 4720),)),
    "P-11": Channel(
        "MSL",
        3535,
        (
            (1238, 1344),
            (1778, 1898),
        ),
    ),
    "P-14": Channel("MSL", 6100, ((4575, 4755),)),
    "P-15": Channel("MSL", 2856, ((1390, 1410),)),
    "R-1": Channel("SMAP", 7244, ((4510, 4590),)),
    "S-1": Channel("SMAP", 7331, ((5300, 5747),)),
    "S-2": Channel("MSL", 1827, ((900, 910),)),
    "T-1": Channel(
        "SMAP",
        8612,
        (
            (2399, 3898),
            (6550, 6585),
        ),
    ),
    "T-2": Channel("SMAP", 8625, ((6840, 8624),)),
    "T-3": Channel(
        "SMAP",
        8579,
        (
            (2098, 2180),
            (5200, 5300),
        ),
    ),
    "T-4": Channel("MSL", 2217, ((1172, 1240),)),
    "T-5": Channel("MSL", 2218, ((1200, 1225),)),
    "T-8": Channel(
        "MSL",
        1519,
        (
            (870, 930),
            (1330, 1370),
        ),
    ),
    "T-9": Channel(
        "MSL",
        1096,
        (
            (780, 810),
            (890, 970),
        ),
    ),
    "T-12": Channel("MSL", 2430, ((630, 750),)),
    "T-13": Channel(
        "MSL",
        2430,
        (
            (690, 790),
            (1900, 2050),
        ),
    ),
}
