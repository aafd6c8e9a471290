from archives import SIZE, write_image

# Page -> site, and the bright pixels that users looked at, in the order of user and time.
PAGES = {
    "s3_a_0": (11, [(0, 0), (31, 23)]),
    "s3_a_1": (11, [(5, 7)]),
    "s3_b_0": (22, [(30, 2), (4, 4)]),
    "s3_b_1": (22, [(12, 0)]),
    "s3_b_10": (22, [(13, 23)]),
    "s3_c_0": (33, [(7, 9)]),
}
EXPECTED = {f"img_{page}.jpg": pixels for page, (_, pixels) in PAGES.items()}
SKIPPED = [
    "observer 2: none of 1 fixations is inside an image",
    "observer 3: none of 1 fixations is inside an image",
    "img_s3_a_1.jpg: 3 of 4 fixations are outside the image",
]
HEADER = "study_id;web_id;web_group_id;filename;user_id;timestamp;x;y;duration"
OUTSIDE = [(-1, -1), (SIZE[1], 3), (3, SIZE[0])]


def write(directory, header=HEADER, site=lambda page: 100 + page):
    gaze, pages = [header], ["study_id;web_id;web_group_id;title;url;screenshot;width;height"]
    for i, (page, (web, pixels)) in enumerate(PAGES.items()):
        write_image(directory / "images" / f"img_{page}.jpg", pixels)
        seen = [*pixels, *(OUTSIDE if page == "s3_a_1" else [])]
        rows = [f"1;{web};{site(i)};{page};{j};{200 - j};{x};{y};{-1 if j else 800}" for j, (x, y) in enumerate(seen)]
        gaze += rows[::-1]
        pages.append(f"1;{web};{100 + i};other_{page};http://{web};x.jpg;{SIZE[1]};{SIZE[0]}")
    (directory / "gaze.csv").write_text("\n".join(gaze) + "\n")
    (directory / "metadata.csv").write_text("\n".join(pages) + "\n")


def no_number(directory):
    text = (directory / "gaze.csv").read_text()
    (directory / "gaze.csv").write_text(text.replace(";31;23;", ";left;23;"))


FAULTS = {
    "no column": (lambda d: write(d, HEADER.replace(";x;", ";left;")), r"gaze.csv has no column 'x'; .* Get it again"),
    "text among numbers": (no_number, r"gaze.csv, row 2, column 'x': 'left' is no number"),
    "no page": (
        lambda d: write(d, site=lambda i: 101 + i),
        r"metadata.csv has no row of web_group_id 106, which is in",
    ),
    "no metadata": (lambda d: (d / "metadata.csv").unlink(), r"metadata.csv is missing"),
    "no image": (lambda d: (d / "images" / "img_s3_b_0.jpg").unlink(), r"1 of 6 images of gaze.csv .* 'img_s3_b_0'"),
}
