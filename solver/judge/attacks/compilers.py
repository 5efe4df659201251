"""Sources aimed at the compiler, and native programs aimed at the jail."""

from __future__ import annotations

from .attack import attack, brisk

_MAIN = "int main(void) { return 0; }\n"
_SUM = '#include <stdio.h>\nint main(void) { int n, x, s = 0; scanf("%d", &n); while (n-- && scanf("%d", &x)) s += x; '
_LONG = brisk(cpu_s=1.0, compile_s=8.0)

ATTACKS = (
    attack("Python: syntax", "CE", "def f(:\n    pass"),
    attack("Python: NUL in the source", "CE", "a = 1\0"),
    attack("Python: bytes that are not UTF-8", "CE", "# \udcff\nprint(6)"),
    attack("Python: nesting", "CE", "x = " + "(" * 5000 + ")" * 5000),
    attack("Python: nesting of another kind", "CE RE WA", "x = " + "-" * 100000 + "1"),
    attack("Python: constants that multiply", "CE MLE WA", "x = " + " + ".join(["'a' * 4096"] * 3000)),
    attack("Python: a power folded", "CE TLE WA MLE", "x = " + "9 ** " * 50 + "9"),
    attack("Python: ten megabytes of source", "AC MLE CE", "#" + "x" * (10 << 20)
           + "\nprint(sum(int(input()) for _ in range(int(input()))))"),
    attack("C: right", "AC", _SUM + 'printf("%d\\n", s); return 0; }', language="c", limits=_LONG),
    attack("C: right, exit code 3", "RE", _SUM + 'printf("%d\\n", s); return 3; }', language="c", limits=_LONG),
    attack("C: a secret included", "CE", '#include "/etc/passwd"\n' + _MAIN, language="c", limits=_LONG),
    attack("C: a secret included by link", "CE", '#include "/proc/self/root/etc/passwd"\n' + _MAIN, language="c", limits=_LONG),
    attack("C: a secret assembled in", "CE", '__asm__(".incbin \\"/etc/shadow\\"");\n' + _MAIN, language="c", limits=_LONG),
    attack("C: endless include", "CE", "#include </dev/zero>\n" + _MAIN, language="c", limits=_LONG),
    attack("C: two gigabytes of data", "CE", "int block[1 << 29] = {1};\n" + _MAIN, language="c", limits=_LONG),
    attack("C: macros that multiply", "CE", "#define A(x) x x x x x x x x x x\n#define B(x) A(A(A(A(A(A(A(x)))))))\n"
           "B(B(int y;))\n" + _MAIN, language="c", limits=_LONG),
    attack("C++: templates without end", "CE", "template <int N> struct T { using X = typename T<N + 1>::X; };\n"
           "T<0>::X x;\n" + _MAIN.replace("void", ""), language="cpp", limits=_LONG),
    attack("C: does not link", "CE", "int g(void);\nint main(void) { return g(); }", language="c", limits=_LONG),
    attack("C: null pointer", "RE", "int main(void) { *(volatile int *)0 = 1; }", language="c", limits=_LONG),
    attack("C: abort", "RE", "#include <stdlib.h>\nint main(void) { abort(); }", language="c", limits=_LONG),
    attack("C: division by zero", "RE", "int main(int c, char **v) { volatile int z = c - c; return c / z; }", language="c", limits=_LONG),
    attack("C: busy loop", "TLE", "int main(void) { for (;;) ; }", language="c", limits=_LONG),
    attack("C: pause", "TLE", "#include <unistd.h>\nint main(void) { pause(); }", language="c", limits=_LONG),
    attack("C: memory taken", "MLE", "#include <stdlib.h>\n#include <string.h>\nint main(void) {\n"
           "    for (;;) { char *p = malloc(1 << 20); if (p) memset(p, 1, 1 << 20); }\n}", language="c", limits=_LONG),
    attack("C: endless output", "OLE", '#include <stdio.h>\nint main(void) { for (;;) puts("xxxxxxxxxxxxxxxx"); }', language="c", limits=_LONG),
    attack("C: fork", "SV", "#include <unistd.h>\nint main(void) { for (;;) fork(); }", language="c", limits=_LONG),
    attack("C: exec", "SV", '#include <unistd.h>\nint main(void) { execl("/bin/sh", "sh", "-c", "id", (char *)0); return 1; }', language="c", limits=_LONG),
    attack("C: a socket", "SV", "#include <sys/socket.h>\nint main(void) { return socket(2, 1, 0) < 0; }", language="c", limits=_LONG),
    attack("C: a tracer", "SV", "#include <sys/ptrace.h>\nint main(void) { return ptrace(PTRACE_TRACEME, 0, 0, 0) < 0; }", language="c", limits=_LONG),
    attack("C: its init killed", "SV RE", "#include <signal.h>\nint main(void) { kill(1, 9); kill(-1, 9); return 1; }", language="c", limits=_LONG),
    attack("C: a secret read", "RE", '#include <stdio.h>\nint main(void) { FILE *f = fopen("/etc/passwd", "r"); '
           'if (!f) return 1; char b[99]; fgets(b, 99, f); puts(b); }', language="c", limits=_LONG),
    attack("C: its own program rewritten", "RE SV", '#include <stdio.h>\nint main(void) { FILE *f = fopen("solution", "w"); return !f; }',
           language="c", limits=_LONG),
    attack("Java: right", "AC", "import java.util.*;\npublic class Main { public static void main(String[] a) { Scanner s = new "
           "Scanner(System.in); int n = s.nextInt(), t = 0; while (n-- > 0) t += s.nextInt(); System.out.println(t); } }",
           language="java", limits=brisk(cpu_s=3.0, idle_s=3.0, compile_s=20.0)),
    attack("Java: a process", "SV RE", "public class Main { public static void main(String[] a) throws Exception { "
           'Runtime.getRuntime().exec("id").waitFor(); } }', language="java", limits=brisk(cpu_s=3.0, idle_s=3.0, compile_s=20.0)),
    attack("JavaScript: right", "AC", "const x = require('fs').readFileSync(0, 'utf8').split('\\n').map(Number);\n"
           "console.log(x.slice(1, 1 + x[0]).reduce((a, b) => a + b, 0));", language="javascript", limits=brisk(cpu_s=2.0, idle_s=2.0)),
    attack("JavaScript: a secret read", "RE", "console.log(require('fs').readFileSync('/etc/passwd', 'utf8'))",
           language="javascript", limits=brisk(cpu_s=2.0, idle_s=2.0)),
    attack("JavaScript: a process", "SV RE", "require('child_process').execSync('id')", language="javascript", limits=brisk(cpu_s=2.0, idle_s=2.0)),
    attack("JavaScript: syntax", "CE", "let = = 3", language="javascript", limits=brisk(cpu_s=2.0, idle_s=2.0)),
    attack("Rust: panic", "RE", "fn main() { panic!(\"no\"); }", language="rust", limits=_LONG),
    attack("Rust: a secret included", "CE", 'fn main() { print!("{}", include_str!("/etc/passwd")); }', language="rust", limits=_LONG),
)  # fmt: skip
