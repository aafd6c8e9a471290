import json
import sys

import cv2
import numpy as np
import pytest
from conftest import DATA

import keras_saliency as ks
from keras_saliency.data import splits
from keras_saliency.data.exports import EXPORTS, Detection, read_export
from keras_saliency.data.table import read_table

# By file: what names the picture; how many fixations; of the first and the last picture, x, y, onset and duration; what
# is left out. Each was checked by eye against the file.
REAL = {
    "eyelink_asc_pymovements/eyelink_binocular_example.asc": (
        r"TRIALID (\S+)",
        1,
        ("I902C_low", 945.6, 539.6, 0.033, 0.129),  # of the right eye, whose error was 0.31 degrees, and not 0.41
        ("I902C_low", 945.6, 539.6, 0.033, 0.129),
        {"of the other eye": 2, "while no picture was shown": 1},
    ),
    "eyelink_asc_pymovements/eyelink_monocular_2khz_example.asc": (
        r"TRIALID (\d+)",
        2,
        ("1", 141.0, 132.2, 0.001, 0.1325),
        ("3", 638.5, 531.8, 0.021, 0.0445),
        {},
    ),
    "eyelink_asc_pymovements/eyelink_monocular_example.asc": (  # of which the clock of messages runs backwards once
        r"TRIALID (\d+)",
        2,
        ("1", 141.0, 132.2, 0.001, 0.133),
        ("3", 638.5, 531.8, 0.021, 0.045),
        {},
    ),
    "eyelink_asc_pymovements/eyelink_monocular_no_dummy_example.asc": (
        r"IMGLOAD FILL Images/(\S+)",
        2,
        ("text.png", 868.5, 698.4, 5.316, 0.086),
        ("text.png", 708.1, 581.3, 5.428, 0.326),
        {},
    ),
    "eyelink_asc_pymovements/raccoons.asc": (
        r"TRIALID (\d+)",
        1,
        ("0", 1008.6, 1190.4, 0.025, 0.255),
        ("0", 1008.6, 1190.4, 0.025, 0.255),
        {},
    ),
    "eyelink_asc_eyeris/memory_events_only_derived.asc": (
        r"TRIALID (\d+)",
        12,
        ("22", 939.8, 525.8, 2.213, 0.147),
        ("26", 983.7, 553.5, 3.028, 0.293),
        {"while no picture was shown": 1},
    ),
    "eyelink_asc_eyeris/memory_cut.asc": (
        r"TRIALID (\d+)",
        2,
        ("22", 939.8, 525.8, 2.213, 0.147),
        ("22", 921.3, 508.2, 2.378, 0.627),
        {"while no picture was shown": 1},
    ),
    "tobii_studio_2/P61-Fixation-Data.tsv": (
        None,
        4660,
        (None, 513, 518, 0.026, 0.633),
        (None, 1277, 91, 1840.173, 0.65),
        {"without coordinates": 4},
    ),
    "tobii_studio_3/tobii_studio_3.4.5_data_cut.tsv": (
        None,
        7,
        ("http://www.drewmstiles.com/ (CRC)", 1177, 258, 5.163, 0.167),
        ("http://www.drewmstiles.com/ (CRC)", 1107, 211, 6.971, 0.092),
        {"without coordinates": 15},
    ),
    "tobii_pro_lab/transition test Data Export.tsv": (
        None,
        45,
        ("four blocks", 1301, 639, 38.098, 0.916),
        ("four blocks", 1442, 891, 54.603, 2.015),
        {},
    ),
    "tobii_4c_sdk/4Ctest_fixation.csv": (
        None,
        14,
        (None, 0.4935627, 0.4335195, None, 0.24),
        (None, 0.058338, 0.6536, None, 0.12),
        {"with another label than fixation": 14},
    ),
    "smi_begaze_events/SMI_Sample_67_Events_cut.txt": (
        None,
        666,
        ("MT430PN56168-scrrec.avi", 951.83, 791.40, 0.09363, 0.241786),
        ("MT430PN56168-scrrec.avi", 1236.25, 930.16, 265.462108, 0.241883),
        {"of the other eye": 666},
    ),
}
# A fixation in the middle of each, by its place; that of Tobii Studio 2 follows one of which x is -1, that of EyeLink
# was made in the trial before that in which it is written down.
ODD = {
    "eyelink_asc_eyeris/memory_events_only_derived.asc": (5, ("23", 973.0, 534.8, 3.225, 6.293)),
    "tobii_studio_2/P61-Fixation-Data.tsv": (3, (None, 802, 695, 2.574, 0.216)),
    "tobii_studio_3/tobii_studio_3.4.5_data_cut.tsv": (3, ("http://www.drewmstiles.com/ (CRC)", 760, 344, 5.83, 0.225)),
    "tobii_pro_lab/transition test Data Export.tsv": (21, ("four blocks", 2062, 1163, 46.276, 0.466)),
    "tobii_4c_sdk/4Ctest_fixation.csv": (7, (None, 0.0871755, 0.7604790, 1564666173.25, 0.36)),
    "smi_begaze_events/SMI_Sample_67_Events_cut.txt": (
        299,
        ("MT430PN56168-scrrec.avi", 778.8, 608.77, 149.665314, 0.314737),
    ),
}
REFUSED = {
    "tobii_studio_2/P61-Event-Data.tsv": "mouse and key events, no fixations",
    "tobii_studio_2/P63-All-Data.tsv": "no fixations with coordinates",
    "tobii_pro_lab/metrics_AOIbased_cut.tsv": "metrics of areas of interest, without coordinates",
    "tobii_pro_lab/shopper metrics.tsv": "metrics of areas of interest, without coordinates",
    "tobii_4c_sdk/4Ctest.csv": "samples of gaze, without fixations",
    "webgazer_jspsych/sub01_antisacadas_cut.csv": "samples of gaze, without fixations",
    "custom_validation_csv/187_eyelink_far_chinrest.csv": "of no known software. Known: EyeLink, SMI BeGaze, Tobii",
}


def real(name):
    path = DATA / "trackers" / name
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return path


def assert_row(row, expected):
    image, *numbers = expected
    assert row["image"] == image or (image is None and row.isna()["image"])
    for name, number in zip(("x", "y", "time", "duration"), numbers, strict=True):
        assert number is None or row[name] == pytest.approx(number, abs=1e-6), name


@pytest.mark.parametrize("name", REAL)
def test_real_exports_are_read(name):
    trials, count, first, last, left_out = REAL[name]
    table = read_export(real(name), trials)
    assert len(table) == count
    assert_row(table.iloc[0], first)
    assert_row(table.iloc[-1], last)
    if name in ODD:
        place, row = ODD[name]
        assert_row(table.iloc[place], row)
    assert table.attrs["left_out"] == left_out


@pytest.mark.parametrize("name", REFUSED)
def test_real_exports_without_fixations_are_refused_with_the_reason(name):
    with pytest.raises(ValueError, match=REFUSED[name]) as error:
        read_export(real(name))
    assert name.rpartition("/")[2] in str(error.value) and "\n" not in str(error.value)


def test_one_eye_is_read_and_may_be_named():
    path = real("eyelink_asc_pymovements/eyelink_binocular_example.asc")
    assert_row(read_export(path, r"TRIALID (\S+)", eye="left").iloc[0], ("I902C_low", 959.6, 533.7, 0.031, 0.129))
    with pytest.raises(ValueError, match="unknown eye 'L'. Known eyes: left, right"):
        read_export(path, eye="L")
    with pytest.raises(ValueError, match="has no fixations of the left eye. Leave out eye"):
        read_export(real("eyelink_asc_eyeris/memory_cut.asc"), eye="left")
    assert len(read_export(real("smi_begaze_events/SMI_Sample_67_Events_cut.txt"), eye="right")) == 666


def test_one_phase_of_each_trial_is_read():
    path = real("eyelink_asc_eyeris/memory_events_only_derived.asc")
    table = read_export(path, r"TRIALID (\d+)", phase=("PROBE_START", "PROBE_STOP"))
    assert table["image"].tolist() == ["22", "22", "23", "25", "26", "26"]  # in trial 24 none begins meanwhile
    assert_row(table.iloc[0], ("22", 939.8, 525.8, 0.23, 0.147))
    assert_row(table.iloc[-1], ("26", 1015.1, 536.1, 0.444, 0.579))
    assert table.attrs["left_out"] == {"while no picture was shown": 1, "outside the phase": 6}
    wrong = {"PROBE": "phase is .begin, end.", ("NO", "PROBE"): "no message fits 'NO'", ("(", "x"): "no regular expr"}
    for phase, message in wrong.items():
        with pytest.raises(ValueError, match=message):
            read_export(path, r"TRIALID (\d+)", phase=phase)


def test_a_phase_of_a_table_is_a_value_of_a_column(tmp_path):
    table = read(tmp_path, GAZEPOINT, phase={"MEDIA_ID": "1"})
    assert table["image"].tolist() == ["dog.png"] and table.attrs["left_out"] == {"outside the phase": 2}
    with pytest.raises(ValueError, match="no column 'part'. It has: MEDIA_ID"):
        read(tmp_path, GAZEPOINT, phase={"part": "1"})
    with pytest.raises(ValueError, match="it is a table: phase is {column: value}"):
        read(tmp_path, GAZEPOINT, phase=("a", "b"))


def test_detected_fixations_are_those_that_the_laboratory_found():
    pytest.importorskip("pymovements")
    samples, fixations = (real(f"tobii_4c_sdk/4Ctest{name}.csv") for name in ("", "_fixation"))
    found = read_export(samples, detection=Detection("ivt", threshold=800, screen=(1920, 1080)))
    assert len(found) == 9 and found.attrs["units"] == "shares"
    assert_row(found.iloc[1], (None, 0.187356, 0.692737, 0.833, 0.177))
    theirs = read_export(fixations)[["x", "y"]].to_numpy()
    distance = np.linalg.norm(found[["x", "y"]].to_numpy()[:, None] - theirs, axis=2).min(1)
    assert np.median(distance) < 0.002  # four pixels
    assert len(read_export(samples, detection=Detection("idt", threshold=40, screen=(1920, 1080)))) == 11


def test_samples_of_webgazer_are_one_trial_a_row():
    pytest.importorskip("pymovements")
    path = real("webgazer_jspsych/sub01_antisacadas_cut.csv")
    table = read_export(path, "trial_index", Detection("ivt", threshold=500))
    assert len(table) == 326 and table["image"].nunique() == 170  # of 172 trials
    assert table.attrs["screen"] == (1366, 768)
    # Of the samples of trial 29 the last seven: 580 is their mean x.
    assert_row(table.iloc[0], ("29", 580.0, 366.571429, 0.185, 0.98))
    assert_row(table.iloc[-1], ("325", 574.666667, 316.5, 1.781, 0.745))


def test_what_a_tracker_tells_of_the_screen():
    name = "eyelink_asc_eyeris/memory_cut.asc"  # with an equals sign
    assert read_export(real(name), "TRIALID (.+)").attrs["screen"] == (1920, 1080)
    assert read_export(real("tobii_studio_2/P61-Fixation-Data.tsv")).attrs["screen"] == (1280, 1024)
    assert read_export(real("tobii_studio_3/tobii_studio_3.4.5_data_cut.tsv")).attrs["frame"] == "image"
    assert read_export(real("tobii_4c_sdk/4Ctest_fixation.csv")).attrs["units"] == "shares"


def gaze(times, points):
    cell = json.dumps([{"x": x, "y": y, "t": t} for t, (x, y) in zip(times, points, strict=True)])
    quoted = cell.replace('"', '""')
    return f'rt,trial_type,trial_index,stimulus,webgazer_data\r\n9,image,0,p0.png,"{quoted}"\r\n'


@pytest.mark.parametrize(("method", "threshold"), [("ivt", 500), ("idt", 20)])
@pytest.mark.parametrize("every", [10, 33])
def test_two_fixations_are_detected_where_they_are(method, threshold, every, tmp_path):
    pytest.importorskip("pymovements")
    times = list(range(0, 1000, every))
    text = gaze(times, [(100, 50) if time < 500 else (400, 70) for time in times])
    table = read(tmp_path, text, "stimulus", detection=Detection(method, threshold))
    assert table["image"].tolist() == ["p0.png"] * 2
    assert table[["x", "y"]].to_numpy().tolist() == [[100, 50], [400, 70]]
    np.testing.assert_allclose(table["time"], [0, 0.5], atol=0.07)
    np.testing.assert_allclose(table["duration"], 0.49, atol=0.07)
    degrees = Detection(method, pixels_per_degree=threshold / {"ivt": 20, "idt": 1}[method])
    assert read(tmp_path, text, "stimulus", detection=degrees).equals(table)


def test_what_a_detection_lacks_is_named(tmp_path, monkeypatch):
    text = gaze(range(0, 1000, 10), [(100, 50)] * 100)
    wrong = {
        Detection("hmm"): "unknown detection 'hmm'. Known detections: ivt, idt",
        Detection("ivt"): "detection='ivt' needs a threshold, in pixels a second, or pixels_per_degree",
        Detection("idt", threshold=-1): "threshold and minimum_duration are above zero",
    }
    for how, message in wrong.items():
        with pytest.raises(ValueError, match=message):
            read(tmp_path, text, "stimulus", detection=how)
    with pytest.raises(ValueError, match="row 1 of the table, column 'webgazer_data': no list of x, y, t"):
        read(tmp_path, text.replace('""t""', '""s""'), detection=Detection("ivt", 500))
    with pytest.raises(ValueError, match="it has no column 'picture'. It has: rt, trial_type"):
        read(tmp_path, text, "picture", detection=Detection("ivt", 500))
    monkeypatch.setitem(sys.modules, "pymovements.events", None)
    with pytest.raises(ImportError, match=r"keras_saliency\[recordings\]"):
        read(tmp_path, text, "stimulus", detection=Detection("ivt", 500))


# Exports that may not be copied, written as the software does.
GAZEPOINT = """MEDIA_ID,MEDIA_NAME,CNT,TIME(2024/05/01 10:00:00.000),FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,USER,
0,cat.png,1,0.10,0.4,0.3,0.05,0.05,1,1,,
0,cat.png,2,0.15,0.5,0.25,0.05,0.10,1,1,,
0,cat.png,3,0.20,0.9,0.9,0.15,0.01,2,0,,
1,dog.png,4,0.35,-0.1,0.75,0.25,0.10,3,1,,
"""
CURRENT = "CURRENT_FIX_X\tCURRENT_FIX_Y\tCURRENT_FIX_START\tCURRENT_FIX_DURATION"
DATA_VIEWER = f"""RECORDING_SESSION_LABEL\tTRIAL_INDEX\timg\t{CURRENT}
s01\t1\tcat.png\t960,50\t540,25\t12\t200
s01\t2\tdog.png\t.\t.\t300\t80
s02\t1\tcat.png\t10\t20\t5\t150
"""
PUPIL_CLOUD = (
    "section id,recording id,fixation id,start timestamp [ns],end timestamp [ns],duration [ms],"
    "fixation detected on surface,fixation x [normalized],fixation y [normalized]\n"
    "a,rec,1,2000000000,2200000000,200,True,0.25,0.75\n"
    "a,rec,2,2300000000,2400000000,100,False,1.25,0.75\n"
)
PUPIL_PLAYER = (
    "id,start_timestamp,duration,start_frame_index,end_frame_index,norm_pos_x,norm_pos_y,dispersion,confidence\n"
    "1,10.0,200,1,5,0.5,0.5,1,1\n"
)


def read(tmp_path, text, trials=None, encoding="utf-8", detection=None, phase=None):
    path = tmp_path / "export.txt"
    path.write_bytes(text.encode(encoding))
    return read_export(path, trials, detection, phase)


def rows_of(table, *columns):
    return table[list(columns)].to_numpy().tolist()


def test_gazepoint_has_a_row_for_each_sample_and_shares_of_the_screen(tmp_path):
    table = read(tmp_path, GAZEPOINT)
    assert table.attrs["software"] == "Gazepoint" and table.attrs["units"] == "shares"
    rows = table[["image", "x", "y", "time", "duration"]].to_numpy().tolist()
    assert rows == [["cat.png", 0.5, 0.25, 0.05, 0.1], ["dog.png", -0.1, 0.75, 0.25, 0.1]]
    assert table.attrs["left_out"] == {"without coordinates": 1}


@pytest.mark.parametrize("units", ["", " [DACS px]", " (DACSpx)"])
def test_columns_of_pro_lab_may_have_units(units, tmp_path):
    clock = " [ms]" if units else ""
    header = f"Recording timestamp{clock}\tParticipant name\tPresented Media name\tEye movement type\t"
    header += f"Gaze event duration{clock}\tEye movement type index\tFixation point X{units}\tFixation point Y{units}"
    rows = ["100\tP1\tcat.png\tFixation\t50\t1\t12,5\t30", "120\tP1\tcat.png\tFixation\t50\t1\t12,5\t30"]
    table = read(tmp_path, "\r\n".join([header, *rows, "140\tP1\tcat.png\tSaccade\t20\t1\t\t"]))
    found = table[["image", "observer", "x", "y", "time", "duration"]].to_numpy().tolist()
    assert found == [["cat.png", "P1", 12.5, 30, 0.1, 0.05]] and table.attrs["frame"] == "screen"


def test_pro_lab_tells_units_and_the_picture_in_the_names_of_columns(tmp_path):
    head = "Recording timestamp [\u03bcs]\tParticipant name\tRecording resolution width\tRecording resolution height\t"
    head += "Presented Media name\tEye movement type\tGaze event duration [ms]\tEye movement type index\t"
    plain = head + "Fixation point X [DACS px]\tFixation point Y [DACS px]\tFixation point X [DACS mm]"
    rows = [
        "1000000\tP1\t1920\t1080\tcat\tFixation\t{}\t7\t{}",  # both have a fixation of that number, side by side
        "2000000\tP2\t1920\t1080\tcat\tFixation\t{}\t7\t{}",
        "2100000\tP2\t1920\t1080\tcat\tSaccade\t{}\t1\t{}",
    ]
    body = "\n".join([plain, *(row.format("90,5", "960,5\t540\t100") for row in rows)])
    table = read(tmp_path, body, encoding="utf-8-sig")
    assert rows_of(table, "observer", "image", "x", "y", "time", "duration") == [
        ["P1", "cat", 960.5, 540.0, 1.0, 0.0905],
        ["P2", "cat", 960.5, 540.0, 2.0, 0.0905],
    ]
    assert table.attrs["screen"] == (1920, 1080) and table.attrs["frame"] == "screen"
    assert len(read(tmp_path, body, phase={"Participant name": "P2"})) == 1
    both = plain + "\tFixation point X [MCS norm]\tFixation point Y [MCS norm]"
    table = read(tmp_path, "\n".join([both, *(row.format(90, "960\t540\t100\t0,25\t0,5") for row in rows)]))
    assert rows_of(table, "x", "y") == [[0.25, 0.5]] * 2
    assert (table.attrs["frame"], table.attrs["units"]) == ("image", "shares")


BEGAZE = """[BeGaze]
Subject:\tS1
Stimulus:\tall.png

Table Header for Fixations:
Event Type\tTrial\tNumber\tStart\tEnd\tDuration\tLocation X\tLocation Y

Fixation L\t1\t1\t900000\t950000\t50000\t9\t9
Fixation L\t1\t2\t1100000\t1200000\t100000\t10.5\t20.5
Fixation L\t2\t3\t2500000\t2600000\t100000\t30\t40
Fixation R\t2\t3\t2500000\t2600000\t100000\t-\t-
Fixation L\t2\t4\t2700000\t2800000\t100000\t-\t-
UserEvent\t1\t1\t1000000\t# Message: a.jpg
UserEvent\t1\t2\t1050000\t# Message: UE-mouseclick left x=1 y=2
UserEvent\t2\t3\t2000000\t# Message: b.jpg
"""


def test_messages_of_begaze_name_pictures_wherever_they_stand(tmp_path):
    table = read(tmp_path, BEGAZE)
    assert rows_of(table, "observer", "image", "x") == [
        ["S1", "all.png", 9],
        ["S1", "a.jpg", 10.5],
        ["S1", "b.jpg", 30],
    ]
    np.testing.assert_allclose(table["time"], [0, 0.1, 0.5])
    assert table.attrs["left_out"] == {"of the other eye": 1, "without coordinates": 1}
    table = read(tmp_path, BEGAZE, r"(\w+)\.jpg", phase={"Trial": "2"})
    assert rows_of(table, "image", "x") == [["b", 30]]
    assert table.attrs["left_out"] == {"of the other eye": 1, "outside the phase": 2, "without coordinates": 1}
    with pytest.raises(ValueError, match=r"no message fits '.*bmp"):
        read(tmp_path, BEGAZE, r"(\.bmp)")


def test_data_viewer_needs_the_column_of_the_picture(tmp_path):
    table = read(tmp_path, DATA_VIEWER, "img", "utf-16")
    assert table[["observer", "image", "x", "y", "time", "duration"]].to_numpy().tolist() == [
        ["s01", "cat.png", 960.5, 540.25, 0.012, 0.2],
        ["s02", "cat.png", 10.0, 20.0, 0.005, 0.15],
    ]
    assert table.attrs["left_out"] == {"without coordinates": 1}
    with pytest.raises(ValueError, match="no column 'image'. It has: RECORDING_SESSION_LABEL"):
        read(tmp_path, DATA_VIEWER, "image")


def test_pupil_cloud_is_read_and_pupil_player_refused(tmp_path):
    table = read(tmp_path, PUPIL_CLOUD)
    assert table[["observer", "x", "y", "time", "duration"]].to_numpy().tolist() == [["rec", 0.25, 0.75, 2.0, 0.2]]
    assert table.attrs["frame"] == "image"
    assert table.attrs["left_out"] == {"with another fixation detected on surface than true": 1}
    with pytest.raises(ValueError, match="the video of the world, and of no picture"):
        read(tmp_path, PUPIL_PLAYER)


def test_what_is_no_export_is_refused(tmp_path):
    for text, message in {
        " \n": "is empty",
        "a\0b": "is no text",
        "Recording\tAOI\tAverage_duration_of_whole_fixations\nA\tB\t3\n": "metrics of areas of interest, without",
        "Recording timestamp\tGaze point X [DACS px]\n1\t2\n": "samples of gaze, without fixations. Export fixations",
        "a,b\n1,2\n": f"Known: {', '.join(EXPORTS)}. Write a table",
    }.items():
        with pytest.raises(ValueError, match=message):
            read(tmp_path, text)


ASC = """** CONVERTED FROM lab.edf
MSG 10 DISPLAY_COORDS 0 0 99 79
MSG 90 IMAGE fixation cross
EFIX R 91 95 4 50.0 40.0 1000
MSG 100 IMAGE p0.png
"""


TRIALS = """** CONVERTED FROM lab.edf
START 100 RIGHT SAMPLES EVENTS
MSG 110 IMAGE a.png
MSG 150 RECALL ON
EFIX R 120 130 11 1 1 9
EFIX R 160 170 11 2 2 9
MSG 180 RECALL OFF
EFIX R 185 190 6 3 3 9
END 200 SAMPLES
MSG 210 !V TRIAL_VAR picture one.png
MSG 220 TRIAL_RESULT 0
START 300 RIGHT SAMPLES EVENTS
EFIX R 310 320 11 4 4 9
MSG 330 IMAGE b.png
EFIX R 340 350 11 5 5 9
END 400 SAMPLES
MSG 410 !V TRIAL_VAR picture two.png
MSG 420 TRIAL_RESULT 0
"""


def test_a_picture_is_gone_when_its_recording_ends(tmp_path):
    table = read(tmp_path, TRIALS, r"IMAGE (\S+)")
    assert rows_of(table, "image", "x") == [["a.png", 1], ["a.png", 2], ["a.png", 3], ["b.png", 5]]
    assert table.attrs["left_out"] == {"while no picture was shown": 1}  # the cross before b.png


def test_a_variable_that_is_written_after_a_recording_names_its_picture(tmp_path):
    table = read(tmp_path, TRIALS, r"TRIAL_VAR picture (\S+)")
    assert rows_of(table, "image", "x") == [["one.png", x] for x in (1, 2, 3)] + [["two.png", x] for x in (4, 5)]
    np.testing.assert_allclose(table["time"], [0.02, 0.06, 0.085, 0.01, 0.04])


def test_a_phase_is_what_counts_of_a_trial(tmp_path):
    table = read(tmp_path, TRIALS, r"IMAGE (\S+)", phase=("RECALL ON", "RECALL OFF"))
    assert rows_of(table, "image", "x", "time") == [["a.png", 2, 0.01]]
    assert table.attrs["left_out"] == {"while no picture was shown": 1, "outside the phase": 3}
    for text, phase, message in (
        (TRIALS, "RECALL ON", r"phase is \(begin, end\), two regular expressions"),
        (TRIALS, ("ENCODING", "RECALL"), "no message fits 'ENCODING', with which the phase begins"),
        (DATA_VIEWER, ("a", "b"), r"it is a table: phase is {column: value}. Received: \('a', 'b'\)"),
        (DATA_VIEWER, {"task": "search"}, "no column 'task'. It has: RECORDING_SESSION_LABEL"),
    ):
        with pytest.raises(ValueError, match=message):
            read(tmp_path, text, phase=phase)
    table = read(tmp_path, DATA_VIEWER, "img", phase={"TRIAL_INDEX": "1"})
    assert rows_of(table, "image", "observer") == [["cat.png", "s01"], ["cat.png", "s02"]]
    assert table.attrs["left_out"] == {"outside the phase": 1}


def test_several_trials_need_what_names_their_pictures():
    with pytest.raises(ValueError, match=r"it has 5 trials. Say which messages name .* may: TRIALID 22; TRIALID 23;"):
        read_export(real("eyelink_asc_eyeris/memory_events_only_derived.asc"))


def test_angles_of_the_eye_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"angles of the eye \(HREF\)"):
        read(tmp_path, TRIALS + "EVENTS HREF RIGHT\n")


@pytest.mark.parametrize(
    ("name", "message"),
    {
        "eyelink": "row 7, .* 4294967252 looks like -44 that was stored without",
        "gp3": "row 12, .* 2147483647 is the largest",
    }.items(),
)
def test_what_a_laboratory_writes_itself_is_read_as_a_table_that_names_wrong_numbers(name, message):
    columns = {"image": "Label", "observer": "Subject", "x": "Actual-X-Left", "y": "Actual-Y-Left"}
    with pytest.raises(ValueError, match=message):
        read_table(real(f"custom_validation_csv/187_{name}_far_chinrest.csv"), columns)


@pytest.fixture
def folder(tmp_path):
    """Three pictures of 30x40, in each of which one pixel is bright, shown in the middle of a screen of 100x80."""
    events = []
    for i in range(3):
        image = np.zeros((30, 40, 3), "uint8")
        image[3 + i, 5 + 2 * i] = 255
        cv2.imwrite(str(tmp_path / f"p{i}.png"), image)
        events += [f"MSG {100 * i + 100} IMAGE p{i}.png"]
        events += [f"EFIX R {100 * i + 110} {100 * i + 130} 20 {30 + 5.5 + 2 * i} {25 + 3.5 + i} 1000"]
    (tmp_path / "anna.asc").write_text(ASC + "\n".join([*events, "EFIX R 350 360 10 . . ."]) + "\n")
    return tmp_path


def test_a_folder_of_images_and_exports_is_a_data_set(folder):
    (folder / "bert.asc").write_text((folder / "anna.asc").read_text())
    data = ks.data.load("tracker", folder, trials="IMAGE (.+)", stimulus="centred")
    samples = [sample for part in splits.PARTS for sample in getattr(data, part)]
    assert sorted(sample.name for sample in samples) == ["p0.png", "p1.png", "p2.png"]
    for sample in samples:
        rows, columns = sample.fixations.pixels()
        assert (sample.read()[rows, columns] == 255).all() and len(rows) == 2
        assert sample.fixations.observer.tolist() == [0, 1]
        np.testing.assert_allclose(sample.fixations.time, 0.01)
    assert data.skipped == (
        "anna.asc: 1 fixations without coordinates",
        "bert.asc: 1 fixations without coordinates",
        "fixation cross: 2 fixations, and no such image",
    )


def test_other_texts_may_lie_beside_exports_and_pictures_have_paths_elsewhere(folder):
    text = (folder / "anna.asc").read_text().replace("IMAGE p", "IMAGE C:\\lab\\p")
    (folder / "anna.asc").write_text(text)
    (folder / "README.txt").write_text("About\n")
    with pytest.raises(ValueError, match="README.txt is an export of no known software"):
        ks.data.load("tracker", folder, trials="IMAGE (.+)", stimulus="centred")
    data = ks.data.load("tracker", folder, trials="IMAGE (.+)", stimulus="centred", files="*.asc")
    assert len(data.train) == len(data.test) == 1
    with pytest.raises(FileNotFoundError, match=r"has no export called 'b\*'"):
        ks.data.load("tracker", folder, files="b*")


def test_pictures_and_observers_may_stand_in_the_names_of_files(folder):
    text = (folder / "anna.asc").read_text()
    (folder / "anna.asc").unlink()
    for picture in range(3):
        for who in ("anna", "bert"):
            begin = text.index(f"EFIX R {100 * picture + 110}")
            (folder / f"p{picture}_{who}.asc").write_text(text[begin : text.index("\n", begin) + 1])
    options = {"image": "(.+)_", "observer": r"_(.+)\.", "stimulus": "centred", "screen": (100, 80)}
    data = ks.data.load("tracker", folder, **options)
    for part in splits.PARTS:
        (sample,) = getattr(data, part)
        rows, columns = sample.fixations.pixels()
        assert (sample.read()[rows, columns] == 255).all() and sample.fixations.observer.tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"p0_anna.asc: image='x\(.\)' finds nothing"):
        ks.data.load("tracker", folder, **{**options, "image": "x(.)"})


def test_a_folder_of_images_and_samples_is_a_data_set(folder):
    pytest.importorskip("pymovements")
    (folder / "anna.asc").unlink()
    texts = [gaze(range(0, 400, 10), [(30 + 5.5 + 2 * i, 25 + 3.5 + i)] * 40) for i in range(3)]
    rows = [text.split("\r\n")[1].replace("p0.png", f"p{i}.png") for i, text in enumerate(texts)]
    (folder / "anna.csv").write_text("\n".join([texts[0].split("\r\n")[0], *rows]))
    options = {"trials": "stimulus", "screen": (100, 80), "stimulus": "centred", "pixels_per_degree": 30}
    data = ks.data.load("tracker", folder, detection="idt", **options)
    for part in splits.PARTS:
        (sample,) = getattr(data, part)
        rows, columns = sample.fixations.pixels()
        assert (sample.read()[rows, columns] == 255).all() and len(rows) == 1
    with pytest.raises(ValueError, match="samples of gaze, without fixations.*detection='ivt'"):
        ks.data.load("tracker", folder, **options)


def test_what_only_its_owner_knows_of_a_recording_is_asked_for(folder):
    with pytest.raises(ValueError, match=r"nothing names the pictures. .*trials=r'TRIALID .*IMAGE p0.png"):
        ks.data.load("tracker", folder, stimulus="centred")
    with pytest.raises(ValueError, match="are of the screen. Say how the images were shown on it: stimulus="):
        ks.data.load("tracker", folder, trials="IMAGE (.+)")
    wrong = {"IMAGE (": "no regular expression", "IMAGE": "must have one group", "(x)y": "no message fits"}
    for trials, message in wrong.items():
        with pytest.raises(ValueError, match=message):
            ks.data.load("tracker", folder, trials=trials, stimulus="centred")
    (folder / "tracker.json").write_text('{"trials": "IMAGE (.+)", "stimulus": "centred"}')
    assert len(ks.data.load("tracker", folder).train) == 1
    with pytest.raises(ValueError, match="Unknown setting 'trial' of 'tracker'"):
        ks.data.load("tracker", folder, trial="x")
    (folder / "anna.asc").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no export called .\*.. Expected files of .asc"):
        ks.data.load("tracker", folder)
