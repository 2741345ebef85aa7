"""What to build from which Debian source package, and what to run.

A step is a command line with its words, '<' and '>' as in a shell; its first word only names the
program. All steps of a program run in one folder, one after the other. `files` are sources (with
* patterns) relative to the package's folder, `write` adds files to it, `prepare` are shell
commands in it, for what a package's own makefile would generate.
"""
import dataclasses
import platform

import inputs


@dataclasses.dataclass
class Recipe:
    name: str
    source: str  # Debian source package
    what: str
    files: list
    steps: list
    flags: list = dataclasses.field(default_factory=list)
    wasi: list = dataclasses.field(default_factory=list)
    native: list = dataclasses.field(default_factory=list)
    without: list = dataclasses.field(default_factory=list)
    write: dict = dataclasses.field(default_factory=dict)
    prepare: list = dataclasses.field(default_factory=list)
    inputs: dict = dataclasses.field(default_factory=dict)
    bring: list = dataclasses.field(default_factory=list)  # sources that are inputs, too
    env: list = dataclasses.field(default_factory=list)
    quick: bool = False
    compare_stderr: bool = False
    failing_steps: int = 0  # steps that are meant to fail


SIGNALS = ["-D_WASI_EMULATED_SIGNAL", "-lwasi-emulated-signal"]
CLOCKS = ["-D_WASI_EMULATED_PROCESS_CLOCKS", "-lwasi-emulated-process-clocks"]

LONG_DOUBLE = ["-lc-printscan-long-double"]  # wasi-libc prints none unless asked
GETPID = ["-D_WASI_EMULATED_GETPID", "-lwasi-emulated-getpid"]
MMAN = ["-D_WASI_EMULATED_MMAN", "-lwasi-emulated-mman"]

# WASI has no owners, permissions, locks or other processes, nor does wasi-libc declare what sets
# them: programs that call it anyway get answers as from a system where it never works or matters.
ABSENT = """
#ifdef __wasi__
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
static inline int chmod(const char *p, mode_t m) { (void)p; (void)m; return 0; }
static inline int fchmod(int f, mode_t m) { (void)f; (void)m; return 0; }
static inline int chown(const char *p, uid_t u, gid_t g) { (void)p; (void)u; (void)g; return 0; }
static inline int fchown(int f, uid_t u, gid_t g) { (void)f; (void)u; (void)g; return 0; }
static inline mode_t umask(mode_t m) { (void)m; return 022; }
static inline uid_t geteuid(void) { return 1000; }
static inline gid_t getegid(void) { return 1000; }
static inline unsigned alarm(unsigned s) { (void)s; return 0; }
static inline FILE *popen(const char *c, const char *m)
{
    (void)c; (void)m; errno = ENOSYS; return 0;
}
static inline int pclose(FILE *f) { (void)f; return -1; }
#define tmpfile() ((FILE *)(errno = ENOSYS, (void *)0))
static inline int system(const char *c) { (void)c; return -1; }
#ifndef F_SETLK
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#endif
#endif
"""
ABSENT_FILE = {"absent.h": ABSENT}
WITH_ABSENT = ["-include", "absent.h"]

BZIP2 = Recipe(
    "bzip2", "bzip2", "compressor",
    ["bzip2.c", "blocksort.c", "huffman.c", "crctable.c", "randtable.c", "compress.c",
     "decompress.c", "bzlib.c"],
    ["bzip2 -k -9 prose.txt", "bzip2 -1 -c noise.bin > noise.bz2", "bzip2 -tv prose.txt.bz2",
     "bzip2 -dc prose.txt.bz2 > back.txt", "bzip2 -c < empty > empty.bz2",
     "bzip2 -d -c prose.txt"],
    flags=["-D_FILE_OFFSET_BITS=64"], wasi=[*WITH_ABSENT, *SIGNALS, *CLOCKS],
    write=ABSENT_FILE, quick=True, failing_steps=1)

ZLIB = Recipe(
    "minigzip", "zlib", "zlib and its gzip",
    ["*.c", "test/minigzip.c"],
    ["minigzip -9 prose.txt", "minigzip -c -1 < noise.bin > noise.gz",
     "minigzip -d < noise.gz > noise.back", "minigzip -d prose.txt.gz"],
    flags=["-I.", "-DHAVE_UNISTD_H", "-D_LARGEFILE64_SOURCE=0"], quick=True)

XZ_CONFIG = """
#define PACKAGE "xz"
#define PACKAGE_NAME "XZ Utils"
#define PACKAGE_BUGREPORT "nowhere"
#define PACKAGE_URL "nowhere"
#define VERSION "5.4"
#define ASSUME_RAM 128
#define HAVE_CHECK_CRC32 1
#define HAVE_CHECK_CRC64 1
#define HAVE_CHECK_SHA256 1
#define HAVE_ENCODERS 1
#define HAVE_DECODERS 1
#define HAVE_ENCODER_LZMA1 1
#define HAVE_DECODER_LZMA1 1
#define HAVE_ENCODER_LZMA2 1
#define HAVE_DECODER_LZMA2 1
#define HAVE_ENCODER_DELTA 1
#define HAVE_DECODER_DELTA 1
#define HAVE_ENCODER_X86 1
#define HAVE_DECODER_X86 1
#define HAVE_MF_HC3 1
#define HAVE_MF_HC4 1
#define HAVE_MF_BT2 1
#define HAVE_MF_BT3 1
#define HAVE_MF_BT4 1
#define HAVE_INTTYPES_H 1
#define HAVE_STDINT_H 1
#define HAVE_STDBOOL_H 1
#define HAVE_STRINGS_H 1
#define HAVE_LIMITS_H 1
#define HAVE_GETOPT_H 1
#define HAVE_GETOPT_LONG 1
#define HAVE_WCHAR_H 1
#define HAVE_MBRTOWC 1
#define HAVE_WCWIDTH 1
#define HAVE_CLOCK_GETTIME 1
#define HAVE_FUTIMENS 1
#define HAVE_VISIBILITY 0
#define HAVE_UTIME 0
#define TUKLIB_SYMBOL_PREFIX lzma_
#ifdef __wasi__
#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#endif
"""

XZ_PARTS = ["common", "liblzma/api", "liblzma/common", "liblzma/check", "liblzma/lz",
            "liblzma/rangecoder", "liblzma/lzma", "liblzma/delta", "liblzma/simple", "xz"]

LZ4 = Recipe(
    "lz4", "lz4", "compressor",
    ["programs/lz4cli.c", "programs/lz4io.c", "programs/bench.c", "programs/datagen.c", "lib/*.c"],
    ["lz4 -q -k -9 prose.txt prose.lz4", "lz4 -q -c -1 noise.bin > noise.lz4",
     "lz4 -q -d -c prose.lz4 > back.txt", "lz4 -q -d noise.lz4 noise.back", "lz4 --list prose.lz4"],
    flags=["-Ilib", "-DXXH_NAMESPACE=LZ4_"], wasi=[*WITH_ABSENT, *SIGNALS, *CLOCKS, *LONG_DOUBLE],
    write=ABSENT_FILE)

ZSTD = Recipe(
    "zstd", "libzstd", "compressor",
    ["programs/*.c", "lib/common/*.c", "lib/compress/*.c", "lib/decompress/*.c",
     "lib/dictBuilder/*.c"],
    ["zstd -q -k -19 prose.txt", "zstd -q -c -1 noise.bin > noise.zst",
     "zstd -q -dc prose.txt.zst > back.txt", "zstd -q -t noise.zst",
     "zstd -q --train table.csv prose.txt picture.ppm -B4096 -o dictionary",
     "zstd -q -D dictionary -c table.csv > table.zst"],
    flags=["-Ilib", "-Ilib/common", "-Iprograms", "-DZSTD_DISABLE_ASM", "-DZSTD_NOTRACE",
           "-DBACKTRACE_ENABLE=0"],
    wasi=[*WITH_ABSENT, *SIGNALS, *CLOCKS], write=ABSENT_FILE)

BROTLI = Recipe(
    "brotli", "brotli", "compressor",
    ["c/common/*.c", "c/dec/*.c", "c/enc/*.c", "c/tools/brotli.c"],
    ["brotli -q 11 -k prose.txt", "brotli -q 1 -c noise.bin > noise.br",
     "brotli -d -c prose.txt.br > back.txt", "brotli -t noise.br"],
    flags=["-Ic/include"], wasi=[*WITH_ABSENT, *CLOCKS],
    write=ABSENT_FILE)

ZOPFLI = Recipe(
    "zopfli", "zopfli", "compressor that tries hard",
    ["src/zopfli/*.c"],
    ["zopfli --i5 table.csv", "zopfli --zlib -c table.csv > table.zlib"])

ZOPFLIPNG = Recipe(
    "zopflipng", "zopfli", "PNG optimiser, in C++",
    ["src/zopflipng/*.cc", "src/zopflipng/lodepng/lodepng*.cpp", "src/zopfli/*.c"],
    ["zopflipng --iterations=3 small.png small-out.png",
     "zopflipng --lossy_transparent -q -y small.png again.png", "zopflipng noise.bin out.png"],
    without=["src/zopfli/zopfli_bin.c"], inputs={"small.png": inputs.png(64, 48)},
    failing_steps=1)

LIBDEFLATE = Recipe(
    "libdeflate", "libdeflate", "gzip by another author",
    ["lib/*.c", "lib/x86/cpu_features.c", "programs/gzip.c", "programs/prog_util.c",
     "programs/tgetopt.c"],
    ["gzip -k -12 prose.txt", "gzip -c -1 noise.bin > noise.gz", "gzip -d -c prose.txt.gz > back"],
    flags=["-I."], write={"config.h": "", **ABSENT_FILE},
    wasi=[*WITH_ABSENT, *MMAN])

SQL = """
create table bird(id integer primary key, name text, km real);
create index by_name on bird(name);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
insert into bird select i, 'bird' || (i * 7919 % 1000), i * 1.25 from n;
select name, count(*), sum(km), avg(km) from bird group by name order by 2 desc, 1 limit 5;
update bird set km = km / 3 where id % 3 = 0;
delete from bird where name like 'bird9%';
select count(*), round(sum(km), 6) from bird;
create virtual table words using fts5(body);
insert into words values('the tern flies far'), ('another animal');
select rowid, highlight(words, 0, '[', ']') from words where words match 'tern';
select json_extract('{"a":[1,2,{"b":"c"}]}', '$.a[2].b'), printf('%08.3f', 3.14159);
select strftime('%Y-%m-%d', 86400 * 365, 'unixepoch'), hex(md5) from (select zeroblob(4) md5);
begin; insert into bird values(100000, 'lost', 1); rollback;
select count(*) from bird where id = 100000;
vacuum;
pragma integrity_check;
.mode csv
.import table.csv imported
select count(*) from imported;
"""

NO_PASSWD = """
#include <stddef.h>
struct passwd { char *pw_dir; };
static inline unsigned getuid(void) { return 1000; }
static inline struct passwd *getpwuid(unsigned u) { (void)u; return NULL; }
"""

SQLITE = Recipe(
    "sqlite3", "sqlite3", "database and its shell",
    ["sqlite3.c", "shell.c"],
    ["sqlite3 -batch bird.db < script.sql", "sqlite3 bird.db .schema",
     "sqlite3 bird.db 'select sum(id), max(name) from bird'", "sqlite3 bird.db .dump > dump.sql",
     "sqlite3 copy.db < dump.sql", "sqlite3 bird.db 'select broken from nothing'"],
    flags=["-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION", "-DSQLITE_ENABLE_FTS5",
           "-DSQLITE_NOHAVE_SYSTEM", "-DHAVE_READLINE=0"],
    wasi=["-DSQLITE_OMIT_WAL", "-DSQLITE_OMIT_POPEN", "-DSQLITE_DEFAULT_UNIX_VFS=\"unix-dotfile\"",
          "-Iabsent", *WITH_ABSENT, *SIGNALS, *CLOCKS, *GETPID, *MMAN],
    # .dump computes in long double, which has 80 bits on x86 and 128 in WASI and on ARM.
    native=["-mlong-double-128"] if platform.machine() == "x86_64" else [],
    write={**ABSENT_FILE, "absent/pwd.h": NO_PASSWD},
    prepare=["./configure --disable-tcl --disable-readline CC=gcc >/dev/null",
             "make sqlite3.c shell.c >/dev/null"],
    inputs={"script.sql": SQL}, failing_steps=1)

CMARK = Recipe(
    "cmark", "cmark", "Markdown to HTML",
    ["src/*.c"],
    ["cmark README.md > out.html", "cmark -t latex README.md", "cmark -t xml < README.md",
     "cmark -t man --smart README.md", "cmark -t commonmark --width 40 README.md"],
    flags=["-Isrc"],
    write={"src/config.h": "#include <stdbool.h>\n#define HAVE___BUILTIN_EXPECT\n"
                           "#define CMARK_ATTRIBUTE(list) __attribute__(list)\n"
                           "#define CMARK_INLINE inline\n",
           "src/cmark_version.h": "#define CMARK_VERSION 0x1e02\n"
                                  "#define CMARK_VERSION_STRING \"0.30.2\"\n",
           "src/cmark_export.h": "#define CMARK_EXPORT\n#define CMARK_NO_EXPORT\n"},
    inputs={"README.md": "# A *title*\n\n* one\n* two `code`\n\n> quote [link](http://x.y \"t\")\n"
                         "\n"
                         "```c\nint main;\n```\n\n1. a\n2. b <b>html</b> &amp; \\* ![i](p.png)\n"
                         * 40},
    quick=True)

XML = "<?xml version='1.0'?>\n<!DOCTYPE r [<!ENTITY e 'text'>]>\n<r>" + "".join(
    f"<i n='{i}'>&e; {i * i}<!-- c --></i>\n" for i in range(2000)) + "</r>\n"

EXPAT = Recipe(
    "xmlwf", "expat", "XML parser",
    ["expat/lib/xml*.c", "expat/xmlwf/xmlwf.c", "expat/xmlwf/xmlfile.c", "expat/xmlwf/codepage.c",
     "expat/xmlwf/readfilemap.c"],
    ["xmlwf good.xml", "xmlwf -d out good.xml", "xmlwf -d out -m bad.xml", "xmlwf bad.xml",
     "xmlwf < good.xml"],
    without=["expat/lib/xmltok_impl.c", "expat/lib/xmltok_ns.c"],
    flags=["-Iexpat/lib", "-Iconfig", "-DHAVE_EXPAT_CONFIG_H", "-D_GNU_SOURCE"], wasi=GETPID,
    write={"config/expat_config.h": "#define BYTEORDER 1234\n#define HAVE_UNISTD_H 1\n"
                                    "#define XML_CONTEXT_BYTES 1024\n#define XML_DTD 1\n"
                                    "#define XML_NS 1\n#define XML_DEV_URANDOM 1\n"
                                    "#define STDC_HEADERS 1\n"},
    inputs={"good.xml": XML, "bad.xml": XML[:-6], "out/here": ""}, failing_steps=2)

FIGLET = Recipe(
    "figlet", "figlet", "large letters",
    ["figlet.c", "zipio.c", "crc.c", "inflate.c", "utf8.c"],
    ["figlet -d . Tern", "figlet -d . -f slant -c -w 100 'far and back'",
     "figlet -d . -k -r < lines.txt"],
    bring=["fonts/*.fl?"], inputs={"lines.txt": "one line\nand another, longer\n"},
    flags=['-DDEFAULTFONTDIR="."', '-DDEFAULTFONTFILE="standard"', "-DTLF_FONTS"],
    wasi=["-D__BEGIN_DECLS=", "-D__END_DECLS=", *WITH_ABSENT], write=ABSENT_FILE)

ENT = Recipe(
    "ent", "ent", "randomness of a file",
    ["ent.c", "iso8859.c", "randtest.c", "chisq.c"],
    ["ent prose.txt", "ent -b -c noise.bin", "ent -t < picture.ppm"], quick=True)

CJPEG_CONFIG = {
    "jconfig.h": "#define JPEG_LIB_VERSION 62\n#define LIBJPEG_TURBO_VERSION 2.1.5\n"
                 "#define LIBJPEG_TURBO_VERSION_NUMBER 2001005\n"
                 "#define C_ARITH_CODING_SUPPORTED 1\n#define D_ARITH_CODING_SUPPORTED 1\n"
                 "#define MEM_SRCDST_SUPPORTED 1\n#define BITS_IN_JSAMPLE 8\n",
    "jconfigint.h": "#define BUILD \"\"\n#define INLINE inline __attribute__((always_inline))\n"
                    "#define THREAD_LOCAL\n#define PACKAGE_NAME \"libjpeg-turbo\"\n"
                    "#define VERSION \"2.1.5\"\n#define SIZEOF_SIZE_T __SIZEOF_SIZE_T__\n"
                    "#define HAVE_BUILTIN_CTZL\n"
                    "#define FALLTHROUGH __attribute__((fallthrough));\n",
    "jversion.h": "#define JVERSION \"6b\"\n#define JCOPYRIGHT \"\"\n"
                  "#define JCOPYRIGHT_SHORT \"\"\n",
}
JPEG_LIBRARY = [f"j{n}.c" for n in (
    "capimin capistd ccoefct ccolor cdctmgr chuff cicc cinit cmainct cmarker cmaster comapi cparam "
    "cphuff cprepct csample ctrans dapimin dapistd datadst datasrc dcoefct dcolor ddctmgr dhuff "
    "dicc dinput dmainct dmarker dmaster dmerge dphuff dpostct dsample dtrans error fdctflt "
    "fdctfst fdctint idctflt idctfst "
    "idctint idctred quant1 quant2 utils memmgr memnobs aricom carith "
    "darith simd_none").split()]

CJPEG = Recipe(
    "cjpeg", "libjpeg-turbo", "JPEG encoder",
    [*JPEG_LIBRARY, "cjpeg.c", "cdjpeg.c", "rdgif.c", "rdppm.c", "rdswitch.c", "rdbmp.c",
     "rdtarga.c"],
    ["cjpeg -quality 85 -outfile a.jpg picture.ppm", "cjpeg -progressive -optimize picture.ppm",
     "cjpeg -arithmetic -dct float < picture.ppm > c.jpg", "cjpeg -grayscale noise.bin"],
    flags=["-I.", "-DPPM_SUPPORTED", "-DGIF_SUPPORTED", "-DBMP_SUPPORTED", "-DTARGA_SUPPORTED"],
    native=["-ffp-contract=off"], write=CJPEG_CONFIG, failing_steps=1)

GIF2RGB = Recipe(
    "gif2rgb", "giflib", "GIF decoder and encoder",
    [f"{n}.c" for n in ("gif2rgb dgif_lib egif_lib gif_err gif_font gif_hash gifalloc quantize "
                        "qprintf getarg openbsd-reallocarray").split()],
    ["gif2rgb -1 -o tree.rgb treescap.gif", "gif2rgb -o porsche porsche.gif",
     "gif2rgb -1 -c 6 -s 100 100 -o made.gif raw.rgb", "gif2rgb -1 -o out noise.bin"],
    flags=["-I."], bring=["pic/*.gif"], inputs={"raw.rgb": inputs.picture(100, 100)[15:]},
    failing_steps=1)

CNF = "p cnf 60 252\n" + "".join(
    " ".join(str((1 if (i * 31 + k * 17) % 3 else -1) * ((i * (7 + k * 5) + k * 19) % 60 + 1))
             for k in range(3)) + " 0\n" for i in range(252))
PIGEONS = "p cnf 56 204\n" + "".join(
    " ".join(str(p * 7 + h + 1) for h in range(7)) + " 0\n" for p in range(8)) + "".join(
    f"-{p * 7 + h + 1} -{q * 7 + h + 1} 0\n"
    for h in range(7) for p in range(8) for q in range(p))

PICOSAT = Recipe(
    "picosat", "picosat", "satisfiability solver",
    ["picosat.c", "app.c", "main.c", "version.c"],
    ["picosat three.cnf", "picosat -s 7 pigeons.cnf", "picosat -n < three.cnf"],
    flags=["-DNGETRUSAGE", "-DNALARM", "-DNDEBUG", "-I."],
    wasi=[*WITH_ABSENT, *SIGNALS, *CLOCKS],
    write={"config.h": '#define PICOSAT_CC "cc"\n#define PICOSAT_CFLAGS ""\n'
                       '#define PICOSAT_VERSION "965"\n', **ABSENT_FILE},
    inputs={"three.cnf": CNF, "pigeons.cnf": PIGEONS}, failing_steps=3)

UNITS = Recipe(
    "units", "units", "unit conversion",
    ["units.c", "strfunc.c", "parse.tab.c", "getopt.c", "getopt1.c"],
    ["units -f definitions.units '71 miles/hour' m/s",
     "units -f definitions.units -t 'tempC(21)' tempF",
     "units -f definitions.units '1 lightyear' 'km;m'", "units -f definitions.units --check"],
    flags=["-DNO_SETLOCALE", "-include", "string.h"],
    wasi=[*SIGNALS, *LONG_DOUBLE, *WITH_ABSENT], write=ABSENT_FILE,
    inputs={"units.wasm": ""}, env=["PATH=."],  # it looks for itself
    bring=["definitions.units", "currency.units", "units_cur", "locale_map.txt"])

PCRE2GREP = Recipe(
    "pcre2grep", "pcre2", "grep with Perl's expressions",
    ["src/pcre2_*.c", "src/pcre2posix.c", "src/pcre2grep.c"],
    ["pcre2grep -n '(?<=arctic )(to|from)\\b.*alive' prose.txt", "pcre2grep -c -i TERN prose.txt",
     "pcre2grep -o1 '(\\w+) \\1' prose.txt", "pcre2grep -v , table.csv",
     "pcre2grep -r --include=csv$ '^1.*tern' .", "pcre2grep '(unclosed' prose.txt"],
    without=["src/pcre2_dftables.c", "src/pcre2_fuzzsupport.c", "src/pcre2_jit_match.c",
             "src/pcre2_jit_misc.c", "src/pcre2_jit_test.c", "src/pcre2_printint.c",
             "src/pcre2_ucptables.c"],
    flags=["-Isrc", "-DHAVE_CONFIG_H", "-DPCRE2_CODE_UNIT_WIDTH=8", "-DSUPPORT_PCRE2_8",
           "-DSUPPORT_UNICODE", "-DHAVE_STRERROR", "-DHAVE_DIRENT_H", "-DHAVE_UNISTD_H",
           "-DHAVE_SYS_STAT_H", "-DHAVE_SYS_TYPES_H", "-DHAVE_MEMMOVE", "-DPCRE2_STATIC"],
    prepare=["cp src/config.h.generic src/config.h", "cp src/pcre2.h.generic src/pcre2.h",
             "cp src/pcre2_chartables.c.dist src/pcre2_chartables.c"],
    failing_steps=2)

ALL = [BZIP2, ZLIB, LZ4, ZSTD, BROTLI, ZOPFLI, ZOPFLIPNG, LIBDEFLATE, SQLITE, CMARK, EXPAT, FIGLET,
       ENT, CJPEG, GIF2RGB, PICOSAT, UNITS, PCRE2GREP]
