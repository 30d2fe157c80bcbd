"""Who takes part: how each is built, and its version. What a machine lacks is left out, and said so.

Every program lists its rows when it is run without arguments; `program ROW [PART]` prints the figure of one, with
the number of operations divided by PART.
"""
import concurrent.futures
import os
import platform
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
PEERS = os.path.join(HERE, "peers")
BUILD = os.environ.get("GOFER_BENCH_BUILD") or os.path.join(ROOT, ".build", "bench")


class Missing(Exception):
    """What it takes to build a contender is not there; says what."""


class Contender:
    """One that takes part. build(self) returns its programs' paths; `threads` tells whether it can use more than
    one processor."""

    def __init__(self, name, title, build, version, threads=True):
        self.name, self.title, self.threads = name, title, threads
        self.build, self.version = build, version
        self.programs = {}  # row: path

    def prepare(self):
        """Builds it and learns its rows."""
        for path in self.build():
            for line in output([path]).splitlines():
                fields = line.split("\t")
                self.programs[fields[1] if len(fields) > 1 else line] = path


def output(command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def make(command, what):
    """Runs a compiler; where it fails, the last lines of its complaint are the reason."""
    if not shutil.which(command[0]):
        raise Missing(f"no {command[0]}")
    try:
        output(command)
    except subprocess.CalledProcessError as error:
        raise Missing(f"{what} does not build here: " + " / ".join(error.stderr.strip().splitlines()[-2:])) from None


def macros(command, header, *names):
    """The values of a header's macros, as the compiler sees them; "?" where the header has none."""
    source = f"#include <{header}>\n" + "".join(f"@{name}\n" for name in names)
    text = output([*command, "-E", "-P", "-x", "c++" if command == cxx() else "c", "-"], input=source)
    values = re.findall(r"^@\s*(.*?)\s*$", text, re.MULTILINE)
    return [re.sub(r'[" ]', "", value) if value != name else "?" for name, value in zip(names, values)]


def compiler():
    return os.environ.get("CC", "cc").split()


def cxx():
    return os.environ.get("CXX", "c++").split()


def first_line(command):
    return output(command).splitlines()[0]


def sources_in(folder, ending):
    return sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(ending))


# ---- gofer and Go --------------------------------------------------------------------------------

def build_gofer(library):
    path = os.path.join(BUILD, "gofer")
    subprocess.run([*compiler(), "-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror",
                    "-Wno-missing-field-initializers", "-I", os.path.join(ROOT, "include"),
                    *sources_in(os.path.join(HERE, "c"), ".c"), library, "-pthread", "-o", path], check=True)
    build_httpd(library)
    return [path]


def build_httpd(library):
    """The example, which the program starts for the rows of HTTP; with llhttp from where it finds it."""
    folder = os.path.join(ROOT, "examples", "httpd")
    subprocess.run([*compiler(), "-std=gnu11", "-O2", "-g", "-I", os.path.join(ROOT, "include"), "-I", "/usr/share",
                    "-I", "/usr/share/include/llhttp", *sources_in(folder, ".c"), library, "-pthread", "-o",
                    os.path.join(BUILD, "httpd")], check=True)


def gofer_version():
    header = os.path.join(ROOT, "include", "gofer", "base.h")
    with open(header, encoding="utf-8") as source:
        version = re.search(r'GOFER_VERSION "(.*)"', source.read()).group(1)
    try:
        commit = output(["git", "-C", ROOT, "describe", "--always", "--dirty", "--exclude=*"])
        return f"{version} ({commit.strip()})"
    except (OSError, subprocess.CalledProcessError):
        return version


def find_go():
    usual = "/usr/local/go/bin/go"
    go = shutil.which("go") or (usual if os.path.exists(usual) else None)
    if not go or os.environ.get("GOFER_NO_GO"):
        raise Missing("no go command")
    return go


def build_go():
    programs = []
    for folder in ("go", "go-cgo"):
        path = os.path.join(BUILD, folder)
        subprocess.run([find_go(), "build", "-o", path, "."], cwd=os.path.join(HERE, folder),
                       env=dict(os.environ, GOFLAGS="-mod=mod", GOWORK="off"), check=True)
        programs.append(path)
    return programs


def go_version():
    return output([find_go(), "env", "GOVERSION"]).strip().removeprefix("go")


# ---- peers ---------------------------------------------------------------------------------------

def one_source(name, command, source, *libraries):
    """Builds a peer of one source file."""
    path = os.path.join(BUILD, name)
    make([*command, os.path.join(PEERS, source), *libraries, "-o", path], name)
    return [path]


def build_epoll():
    return one_source("epoll", [*compiler(), "-std=gnu11", "-O2"], "epoll.c", "-pthread")


def build_uring():
    return one_source("uring", [*compiler(), "-std=gnu11", "-O2"], "uring.c", "-luring", "-pthread")


def kernel_version():
    return f"of {platform.system()} {platform.release()}"


def build_libdill():
    return one_source("libdill", [*compiler(), "-std=gnu11", "-O2"], "libdill.c", "-ldill", "-pthread")


def libdill_version():
    """The library's header has the version of its interface alone, as libtool counts it."""
    return "interface " + ":".join(macros(compiler(), "libdill.h", "DILL_VERSION_CURRENT", "DILL_VERSION_REVISION",
                                          "DILL_VERSION_AGE"))


def build_state_threads():
    return one_source("state-threads", [*compiler(), "-std=gnu11", "-O2"], "state_threads.c", "-lst")


def build_boost_fiber():
    return one_source("boost-fiber", [*cxx(), "-std=c++17", "-O2"], "boost_fiber.cpp", "-lboost_fiber",
                      "-lboost_context", "-pthread")


def build_onetbb():
    return one_source("onetbb", [*cxx(), "-std=c++17", "-O2"], "onetbb.cpp", "-ltbb", "-pthread")


def build_openmp():
    """With clang, whose run-time library has the faster tasks; with gcc where that is all there is."""
    for command in (["clang"], compiler()):
        try:
            path = one_source("openmp", [*command, "-std=gnu11", "-O2", "-fopenmp"], "openmp.c")
            openmp.compiler = command
            return path
        except Missing as error:
            reason = error
    raise reason


def openmp_version():
    return first_line([*openmp.compiler, "--version"])


def build_rust(name):
    """Both in one crate, built outside the checkout's sources."""
    if not shutil.which("cargo"):
        raise Missing("no cargo")
    crate = os.path.join(BUILD, "rust")
    shutil.copytree(os.path.join(PEERS, "rust"), crate, dirs_exist_ok=True)
    make(["cargo", "build", "--release", "--quiet", "--manifest-path", os.path.join(crate, "Cargo.toml"),
          "--bin", name], name)
    return [os.path.join(crate, "target", "release", name)]


def crate_version(name):
    with open(os.path.join(BUILD, "rust", "Cargo.lock"), encoding="utf-8") as lock:
        return re.search(f'name = "{name}"\nversion = "(.*)"', lock.read()).group(1)


openmp = Contender("openmp", "OpenMP", build_openmp, openmp_version)
PEERS_THAT_MAY_BE_THERE = [
    Contender("epoll", "epoll loop", build_epoll, kernel_version),
    Contender("uring", "io_uring loop", build_uring, kernel_version),
    Contender("libdill", "libdill", build_libdill, libdill_version, threads=False),
    Contender("state-threads", "State Threads", build_state_threads,
              lambda: macros(compiler(), "st.h", "ST_VERSION")[0], threads=False),
    Contender("boost-fiber", "Boost.Fiber", build_boost_fiber,
              lambda: macros(cxx(), "boost/version.hpp", "BOOST_LIB_VERSION")[0].replace("_", "."), threads=False),
    openmp,
    Contender("onetbb", "oneTBB", build_onetbb,
              lambda: ".".join(macros(cxx(), "tbb/version.h", "TBB_VERSION_MAJOR", "TBB_VERSION_MINOR"))),
    Contender("tokio", "tokio", lambda: build_rust("tokio"), lambda: crate_version("tokio")),
    Contender("rayon", "rayon", lambda: build_rust("rayon"), lambda: crate_version("rayon")),
]


def everyone(library=None):
    return [Contender("gofer", "gofer", lambda: build_gofer(library), gofer_version),
            Contender("go", "Go", build_go, go_version), *PEERS_THAT_MAY_BE_THERE]


def all_there(library, only, say):
    """The contenders that can be built here, gofer first."""
    os.makedirs(BUILD, exist_ok=True)
    wanted = [c for c in everyone(library) if c.name == "gofer" or not only or c.name in only]
    found = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for contender, building in [(c, pool.submit(c.prepare)) for c in wanted]:
            try:
                building.result()
                found.append(contender)
            except Missing as error:
                say(f"without {contender.title}: {error}")
    return found
