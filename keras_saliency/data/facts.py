"""What is known of published data sets: a row each. None stands for what was not found; nothing is guessed."""

import dataclasses
import urllib.parse
from pathlib import PurePosixPath


@dataclasses.dataclass(frozen=True)
class Archive:
    """A file of a data set, to be had by HTTP.

    Attributes:
        address: Its URL.
        md5: The checksum that others have published; None if there is none.
        megabytes: About how large it is; None where that is not known.
        into: The folder, inside that of the data set, that it is unpacked in, or put in if it is no archive.
        name: What it is called, where its address does not tell; without a suffix it is an archive.
        within: The folder inside the archive of which the content is taken, and nothing else; `*` in it is any name.
    """

    address: str
    md5: str | None = None
    megabytes: float | None = None
    into: str = ""
    name: str = ""
    within: str = ""

    @property
    def file(self) -> str:
        """What it is called on disk: its name, the `id` in its address, or the end of that."""
        address = urllib.parse.urlsplit(self.address)
        ids = urllib.parse.parse_qs(address.query).get("id", [""])
        return self.name or ids[0] or PurePosixPath(urllib.parse.unquote(address.path)).name

    @property
    def packed(self) -> bool:
        """Whether it is unpacked: ZIP, tar, tar.gz, or what has no suffix."""
        return "." not in self.file or self.file.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz"))


@dataclasses.dataclass(frozen=True)
class Facts:
    """A published data set.

    Attributes:
        title: Its name, authors and year.
        images: How many images it has, as published; None where that is told by no one.
        observers: How many saw each image.
        task: What they were asked to do, such as `"free viewing"`.
        seconds: How long they saw it.
        licence: Its terms; `"none stated"` where no text was found: for research only, and not to be passed on.
        address: Where its authors tell of it.
        archives: What can be had by HTTP.
        form: How to get it where its authors want to be asked, or where it cannot be had by HTTP.
        edition: Which of several editions it is.
    """

    title: str
    images: int | None
    observers: int | None
    task: str
    seconds: float | None
    licence: str
    address: str
    archives: tuple[Archive, ...] = ()
    form: str | None = None
    edition: str | None = None

    @property
    def download(self) -> str:
        """How large it is to fetch, such as `"2.1 GB"`; `"by hand"`, or nothing where there is nothing to fetch."""
        if self.form or not self.archives:
            return "by hand" if self.form else ""
        known = [archive.megabytes for archive in self.archives if archive.megabytes is not None]
        return f"{'over ' * (len(known) < len(self.archives))}{size_text(sum(known))}" if known else "unknown"


def size_text(megabytes: float) -> str:
    """A size as people read it, such as `"2.1 GB"` or `"40 MB"`."""
    if megabytes >= 1000:
        return f"{megabytes / 1000:.1f} GB"
    return f"{megabytes:.0f} MB" if megabytes >= 100 else f"{megabytes:.3g} MB"


# Data sets that lie in the folder of another.
WITHIN = {"osie-mouse": "osie", "salicon-json": "salicon"}
NONE = "none stated"
SALICON = "http://salicon.net/challenge-2017/"
DRIVE = "https://drive.usercontent.google.com/download?export=download&confirm=t&id="
DROPBOX = "https://www.dropbox.com/s/"
JUDD = "http://people.csail.mit.edu/tjudd/WherePeopleLook/"
MIT = "http://saliency.mit.edu/"
COCO = "http://vision.cs.stonybrook.edu/~cvlab_download/"
COCO_IMAGES = (
    Archive(COCO + "COCOSearch18-images-TP.zip", "4a815bb591cb463ab77e5ba0c68fedfb"),
    Archive(COCO + "COCOSearch18-images-TA.zip", "85af7d74fa57c202320fa5e7d0dcc187"),
)
COCO_PAGE = "https://sites.google.com/view/cocosearch"
DHF1K = "https://github.com/wenguanwang/DHF1K"
FIWI = DROPBOX + "30nxg2uwd1wpb80/webpage_dataset.zip?dl=1"
ISUN = "http://lsun.cs.princeton.edu/challenge/2015/eyetracking/data/"
OSIE = "https://github.com/NUS-VIP/predicting-human-gaze-beyond-pixels"
OMRON = "http://saliencydetection.net/dut-omron/"
BRUCE = "http://www-sop.inria.fr/members/Neil.Bruce/"
FIGRIM = "https://github.com/cvzoya/figrim/blob/master/"
NUSEF = "https://ncript.comp.nus.edu.sg/site/mmas/"
KOEHLER = "https://labs.psych.ucsb.edu/eckstein/miguel/research_pages/saliencydata.html"
FACTS = {
    "cat2000": Facts(
        *("CAT2000 (Borji and Itti 2015)", 4000, 24, "free viewing", 5.0, NONE, MIT),
        archives=(
            Archive(MIT + "trainSet.zip", "56ad5c77e6c8f72ed9ef2901628d6e48", 4000),
            Archive(MIT + "testSet.zip", "903ec668df2e5a8470aef9d8654e7985"),
        ),
    ),
    "coco-freeview": Facts(
        *("COCO-FreeView (Chen et al. 2022)", 5317, None, "free viewing", None, NONE, COCO_PAGE),
        archives=(
            *COCO_IMAGES,
            Archive(COCO + "COCOFreeView_fixations_trainval.json", "c7f2fbc92afbe55d4dedc445ac2063d3"),
        ),
    ),
    "coco-search18": Facts(
        *("COCO-Search18 (Chen et al. 2021)", 6202, 10, "search for an object", None, NONE, COCO_PAGE),
        archives=(
            *COCO_IMAGES,
            Archive(COCO + "COCOSearch18-fixations-TP.zip", "bfcf4c005a89c43a1719b28b028c5499"),
            Archive(COCO + "coco_search18_fixations_TA_trainval.json", "bd491cce105ff6470536afdab1184776"),
        ),
    ),
    "daemons": Facts(
        *("DAEMONS (University of Potsdam)", 2_400, None, "free viewing", None, NONE, "https://osf.io/cn5yp"),
        archives=(
            Archive("https://osf.io/download/hkvj5/", "a5720326e3331800d0921767b7e23716"),
            Archive("https://osf.io/download/x5jb2/", "17d72179b8ab3552e8ada8c0a1a2a64e"),
            Archive("https://osf.io/download/ztgna/", "2779b4c140a0b1e3c9976488994f08f3"),
        ),
    ),
    "dhf1k": Facts(
        *("DHF1K (Wang et al. 2018)", None, None, "free viewing of videos", None, "CC BY 4.0", DHF1K),
        form="Take videos and annotation from where its page says, and make the frames of the videos.",
    ),
    "dut-omron": Facts(
        *("DUT-OMRON (Yang et al. 2013)", 5_168, 5, "free viewing", 2.0, NONE, OMRON),
        archives=(
            Archive(OMRON + "download/DUT-OMRON-image.zip", "a8951db9297afacf78bc0e5079103cf1"),
            Archive(OMRON + "download/DUT-OMRON-eye-fixations.zip", "d9f4f83fcc78b1e5efb579ae9fb0edc2"),
        ),
    ),
    "eyevis": Facts(
        *("eyevis (University of Koblenz 2018)", 34, None, "tasks on web pages", None),
        *("MIT, which does not cover the pages that are pictured", "https://github.com/Shanksum/eyevis-tool"),
        form="Take its tables from its repository, and its screenshots as images/img_NAME.jpg, as gaze.csv names them.",
    ),
    "figrim": Facts(
        *("FIGRIM (Bylinskii et al. 2015)", 630, None, "memory", 2.0, NONE, "http://figrim.mit.edu/"),
        archives=(
            Archive("http://figrim.mit.edu/Targets.zip", "2ad3a42ebc377efe4b39064405568201"),
            Archive("http://figrim.mit.edu/Fillers.zip", "dc0bc9561b5bc90e158ec32074dd1060"),
            Archive(FIGRIM + "targetData/allImages_release.mat?raw=True", "c72843b05e95ab27594c1d11c849c897"),
            Archive(FIGRIM + "fillerData/allImages_fillers.mat?raw=True", "ce4f8b4961005d62f7a21191a64cab5e"),
        ),
        edition="targets",
    ),
    "fiwi": Facts(
        *("FiWI (Shen and Zhao 2014)", 149, 11, "free viewing of web pages", 5.0, NONE, FIWI),
        archives=(Archive(FIWI),),
    ),
    "hollywood2": Facts(
        *("Hollywood-2 (Mathe and Sminchisescu 2015)", None, 16, "recognition of actions in films", None, NONE, DHF1K),
        form="Take frames and maps from where the page of DHF1K says; the gaze is at vision.imar.ro/eyetracking.",
    ),
    "isun": Facts(
        *(
            "iSUN (Xu et al. 2015)",
            None,
            None,
            "free viewing before a web cam",
            None,
            NONE,
            "http://lsun.cs.princeton.edu/",
        ),
        archives=(
            Archive(ISUN + "training.mat", "5a8b15134b17c7a3f69b087845db1363"),
            Archive(ISUN + "validation.mat", "f68e9b011576e48d2460b883854fd86c"),
            Archive(ISUN + "image.zip", "0a3af01c5307f1d44f5dd309f71ea963"),
        ),
    ),
    "koehler": Facts(
        *("Koehler (Koehler et al. 2014)", 800, None, "free viewing", None, NONE, KOEHLER),
        form="Ask the authors for PublicData.zip (md5 405f58aaa9b4ddc76f3e8f23c379d315).",
    ),
    "mit300": Facts(
        *("MIT300 (Judd et al. 2012)", 300, 39, "free viewing", 3.0, NONE, MIT),
        archives=(Archive(MIT + "BenchmarkIMAGES.zip", "03ed32bdf5e4289950cd28df89451260"),),
    ),
    "mit1003": Facts(
        *("MIT1003 (Judd et al. 2009)", 1003, 15, "free viewing", 3.0, NONE, JUDD),
        archives=(
            Archive(JUDD + "ALLSTIMULI.zip", "0d7df8b954ecba69b6796e77b9afe4b6"),
            Archive(JUDD + "DATA.zip", "ea19d74ad0a0144428c53e9d75c2d71c"),
            Archive(JUDD + "ALLFIXATIONMAPS.zip"),
        ),
    ),
    "nusef": Facts(
        *("NUSEF, public part (Ramanathan et al. 2010)", 444, 25, "free viewing", 5.0, NONE, NUSEF + "NUSEF.html"),
        archives=(Archive(NUSEF + "NUSEF_database.zip", "429a78ad92184e8a4b37419988d98953"),),
    ),
    "osie": Facts("OSIE (Xu et al. 2014)", 700, 15, "free viewing", 3.0, "MIT", OSIE),
    "osie-mouse": Facts("OSIE, by mouse (Jiang et al. 2015)", 700, 99, "free viewing by mouse", None, "MIT", OSIE),
    "pascal-s": Facts(
        *("PASCAL-S (Li et al. 2014)", 850, None, "free viewing", 2.0, NONE, "http://cbs.ic.gatech.edu/salobj/"),
        archives=(Archive("http://cbs.ic.gatech.edu/salobj/download/salObj.zip", "e48b4e5deac08bddcaec55ce56e4d420"),),
    ),
    "salicon": Facts(
        *("SALICON (Jiang et al. 2015)", 20_000, None, "free viewing by mouse", 5.0, NONE, SALICON),
        archives=(
            Archive(DRIVE + "1g8j-hTT-51IG1UFwP0xTGhLdgIUCW5e5", "eb2a1bb706633d1b31fc2e01422c5757", 3000),
            Archive(DRIVE + "1WVEiXba-I4GN33f0uUl4KhaN1rK7qzs6", "9a22db9d718200fb90252e5010c004c4", into="2015"),
            Archive(DRIVE + "1P-jeZXCsjoKO79OhFUgnj6FGcyvmLDPj", "462b70f4f9e8ea446ac628e46cea8d3d", into="2017"),
        ),
    ),
    "salicon-json": Facts(
        *("SALICON, first release (Jiang et al. 2015)", 15_000, None, "free viewing by mouse", 5.0, NONE, SALICON),
        archives=(
            Archive(DROPBOX + "7t2sc4m92hhtzm2/fixations_train2014.json.zip?dl=1", megabytes=818),
            Archive(DROPBOX + "bgo91bnoqk3m5ja/fixations_val2014.json.zip?dl=1", megabytes=459),
        ),
        edition="JSON",
    ),
    "scene": Facts(
        "Scene (Liang et al. 2015)", 500, 12, "free viewing", None, "MIT", "https://github.com/Yanakz/Scene"
    ),
    "toronto": Facts(
        *("Toronto (Bruce & Tsotsos 2007)", 120, 20, "free viewing", 4.0, NONE, BRUCE),
        archives=(Archive(BRUCE + "eyetrackingdata.zip", "38d5c02217060d4d2d1a4649cc632af1"),),
    ),
    "ucf-sports": Facts(
        *("UCF Sports (Mathe and Sminchisescu 2015)", None, 16, "recognition of actions in sports", None, NONE, DHF1K),
        form="Take frames and maps from where the page of DHF1K says; the gaze is at vision.imar.ro/eyetracking.",
    ),
}
