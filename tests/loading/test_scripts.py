"""Scripts do what they say with the context, and nothing else: not to files, networks, each other, or our time."""

import asyncio
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fairlead.operation import UNSET
from fairlead.scripts import (
    LANGUAGES,
    Limits,
    MemoryExceeded,
    Script,
    ScriptFailed,
    Source,
    StatementsExceeded,
    TimeExceeded,
    UnusableResult,
    prepare,
)

SHORT = Limits(seconds=0.2)
ENDLESS = Limits(seconds=3600.0)
JS, PY = "javascript", "python"


def script(language: str, text: str, dependencies: Sequence[str] = ()) -> Script:
    known = [Source(f"dependency {number}", one) for number, one in enumerate(dependencies, 1)]
    return prepare(language, Source("main", text), known)


def run(language: str, text: str, context: Any = None, limits: Limits = Limits(), *dependencies: str) -> Any:  # noqa: B008
    return asyncio.run(script(language, text, dependencies)(context or {}, limits))


CONTEXT: dict[str, Any] = {
    "null": None,
    "yes": True,
    "whole": 42,
    "part": -0.5,
    "text": 'é 😀 \u2028 "\\',
    "list": [1, [], {}],
    "__proto__": {"a": 1},
    "": {"deep": [{"er": []}]},
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_context_and_result_are_json_both_ways(language: str) -> None:
    assert run(language, "result = context", CONTEXT) == CONTEXT


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (JS, "result = context.n + 1"),
        (JS, "var result = context.n + 1"),
        (JS, "let result = context.n + 1"),
        (JS, "const result = (n => n + 1)(context['n']);"),
        (JS, "function twice(n) { return n * 2 }\nclass A { n = 21 }\nconst result = twice(new A().n)"),
        (JS, "'use strict'; globalThis.result = [41].map(n => n + 1)[0]"),
        (JS, "console.log('not seen'); print('nor this'); result = JSON.parse('[42]')[0]"),
        (PY, "result = context['n'] + 1"),
        (PY, "def twice(n):\n    return n * 2\nresult = twice(21)"),
        (PY, "import json, math, re\nresult = json.loads('[42]')[0] if re.match('a+', 'aa') else math.pi"),
        (PY, "result = 0\ndef add():\n    global result\n    result += 42\nadd()"),
        (PY, "print('not seen')\nresult = 42"),
        (PY, "class A:\n    def __init__(self, n):\n        self.n = n\nresult = A(42).n"),
    ],
)
def test_a_script_assigns_its_result(language: str, text: str) -> None:
    assert run(language, text, {"n": 41}) == 42


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_result_is_none_and_null_is_one(language: str) -> None:
    assert run(language, "other = 1") is UNSET
    assert run(language, "result = context['nothing']", {"nothing": None}) is None


@pytest.mark.parametrize(
    ("language", "first", "second", "main"),
    [
        (JS, "const double = n => n * 2", "function next(n) { return double(n) + 1 }", "result = next(context.n)"),
        (
            PY,
            "def double(n): return n * 2",
            "def next_(n): return double(n) + 1",
            "result = next_(context['n'])",
        ),
    ],
)
def test_dependencies_run_first_in_the_same_scope(language: str, first: str, second: str, main: str) -> None:
    assert run(language, main, {"n": 4}, Limits(), first, second) == 9


@pytest.mark.parametrize(
    ("language", "text"), [(JS, "context.list.push(1); context = 5"), (PY, "context['list'].append(1)\ncontext = 5")]
)
def test_the_context_of_the_caller_is_never_changed(language: str, text: str) -> None:
    context: dict[str, Any] = {"list": []}

    run(language, text, context)

    assert context == {"list": []}


LEAVE = {
    JS: "left = 1; Object.prototype.left = 1; Array.prototype.map = null",
    PY: "left = 1\nimport json\nlen = None",
}
LOOK = {
    JS: "result = typeof left + [1].map(n => n)",
    PY: "try:\n    result = left\nexcept NameError:\n    result = 'undefined' + str(len('1'))",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_of_a_run(language: str) -> None:
    async def both() -> Any:
        for _ in range(8):
            await script(language, LEAVE[language])({})
        return await asyncio.gather(*(script(language, LOOK[language])({}) for _ in range(8)))

    assert asyncio.run(both()) == ["undefined1"] * 8


@pytest.mark.parametrize(
    "text",
    [
        "result = JSON.stringify({a: 1})",
        "JSON.stringify = Set.prototype.has = Number.isFinite = Object.prototype.toString = null; result = '{\"a\":1}'",
        "Array.prototype[Symbol.iterator] = Function.prototype.call = null; result = '{\"a\":1}'",
        "Object.defineProperty(globalThis, 'result', {get: () => '{\"a\":1}'})",
    ],
)
def test_a_script_cannot_break_how_its_result_is_read(text: str) -> None:
    assert run(JS, text) == '{"a":1}'


@pytest.mark.parametrize(
    "name",
    "std os bjson require process module fetch XMLHttpRequest WebSocket Deno Bun scriptArgs argv0 execArgv navigator "
    "performance gc Worker WebAssembly setTimeout".split(),
)
def test_javascript_is_given_nothing_but_the_language(name: str) -> None:
    assert run(JS, f"result = typeof {name} + typeof globalThis[{name!r}]") == "undefinedundefined"


@pytest.mark.parametrize(
    "text",
    [
        "import('fs').then(fs => { result = 'out' })",
        "import('/etc/passwd').then(fs => { result = 'out' })",
        "import('qjs:std').then(std => { result = 'out' })",
        "import('qjs:os').then(os => { os.sleep(100000); result = 'out' })",
        "Promise.resolve().then(() => { result = 'out' }); queueMicrotask(() => { result = 'out' })",
    ],
)
def test_javascript_cannot_import_and_nothing_runs_after_its_end(text: str) -> None:
    assert run(JS, text) is UNSET


@pytest.mark.parametrize(
    "text",
    [
        "open('/etc/passwd').read()",
        "import os\nos.environ",
        "import os\nos.getenv('PATH')",
        "import os\nos.listdir('/')",
        "import os\nos.system('true')",
        "from pathlib import Path\nPath('/etc/passwd').read_text()",
        "import socket",
        "import subprocess",
        "import ctypes",
        "import urllib.request",
        "import importlib",
        "__import__('os')",
        "().__class__.__bases__[0].__subclasses__()",
        "(lambda: 0).__globals__",
        "(lambda: 0).__code__",
        "[].append.__self__",
        "str.mro()",
        "getattr(getattr((), '__class__'), '__base__')",
        "'{0.__class__}'.format(1)",
        "__builtins__['open']",
        "exec('import socket')",
        "eval('open(\"/etc/passwd\")')",
        "import sys\nsys.modules['os']",
        "import sys\nsys._getframe()",
        "import sys\nsys.stdin.read()",
        "input()",
        "breakpoint()",
    ],
)
def test_python_has_no_way_out(text: str) -> None:
    with pytest.raises(ScriptFailed):
        run(PY, f"{text}\nresult = 'out'")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (JS, "while (true) {}"),
        (JS, "for (;;) { try { while (true) {} } catch { } finally { continue } }"),
        (JS, "/(a+)+$/.test('a'.repeat(50) + 'b')"),
        (JS, "Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1)"),
        (JS, "new Array(2 ** 32 - 2).indexOf(1)"),
        (JS, "[2, 1].sort(() => { while (true) {} })"),
        (JS, "result = {toJSON() { while (true) {} }}"),
        (JS, "throw {toString() { while (true) {} }, toJSON() { while (true) {} }}"),
        (PY, "while True:\n    pass"),
        (PY, "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"),
        (PY, "sum(range(10 ** 15))"),
        (PY, "sorted([2, 1], key=lambda n: [0 for _ in range(10 ** 12) if False])"),
        (PY, "while True:\n    print('x' * 1000)"),
    ],
)
def test_a_script_is_ended_when_its_time_is_over(language: str, text: str) -> None:
    with pytest.raises(TimeExceeded, match=r"^exceeded the time limit of 0.2 seconds$"):
        run(language, text, limits=SHORT)


@pytest.mark.parametrize(
    "text",
    [
        "while (true) {}",
        "for (;;) try { for (;;); } catch { }",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "const f = (n) => n < 2 ? n : f(n - 1) + f(n - 2); result = f(40)",
        "result = JSON.stringify(Array(300000).fill(context)).length",
    ],
)
def test_javascript_is_ended_when_it_has_done_as_much_as_its_statements_may(text: str) -> None:
    with pytest.raises(StatementsExceeded, match="exceeded the limit of 10000 statements"):
        run(JS, text, {}, Limits(seconds=3600.0, statements=10_000))


def test_so_much_of_javascript_always_takes_the_same_and_its_context_takes_nothing() -> None:
    text, context = "let i = 0; while (i < 100_000) i += 1; result = i", {"text": ["é x"] * 100_000}
    counted = script(JS, text)

    for _ in range(3):
        with pytest.raises(StatementsExceeded):
            asyncio.run(counted({}, Limits(statements=20_000)))
        assert asyncio.run(counted({}, Limits(statements=40_000))) == 100_000
    assert run(JS, "result = 1", context, Limits(statements=1)) == 1


def test_statements_of_python_are_not_counted() -> None:
    assert run(PY, "result = 0\nwhile result < 1000: result += 1", {}, Limits(statements=1)) == 1000


def test_a_regular_expression_of_python_does_not_backtrack_for_ever_or_is_ended() -> None:
    assert run(PY, "import re\nresult = re.match('(a+)+$', 'a' * 50 + 'b') is None") is True


def test_python_cannot_wait() -> None:
    assert run(PY, "import time\ntime.sleep(100000)\nresult = 1") == 1


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (JS, "const a = []; while (true) a.push(new Array(1000).fill(1))"),
        (JS, "const a = []; while (true) a.push('x'.repeat(1e6) + a.length)"),
        (JS, "new Uint8Array(2 ** 30)"),
        (JS, "'x'.repeat(2 ** 29).length"),
        (PY, "a = 'x'\nwhile True:\n    a += a"),
        (PY, "[0] * 10 ** 10"),
        (PY, "2 ** 10 ** 10"),
        (PY, "a = []\nwhile True:\n    a = [a, a]"),
        (PY, "[n for n in range(10 ** 9)]"),
    ],
)
def test_a_script_gets_no_more_memory_than_it_may_have(language: str, text: str) -> None:
    with pytest.raises(MemoryExceeded, match=r"^exceeded the memory limit of 67108864 bytes$"):
        run(language, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_context_may_be_too_large_for_the_memory(language: str) -> None:
    with pytest.raises(MemoryExceeded):
        run(language, "result = 1", {"text": "x" * 8_000_000}, Limits(memory=4 * 1024 * 1024))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (JS, "function f() { f() }\nf()"),
        (JS, "const f = () => { try { f() } catch { f() } }\nf()"),
        (JS, "JSON.parse('['.repeat(1e5))"),
        (JS, "let s = []; for (let i = 0; i < 1e5; i++) s = [s]; result = s"),
        (PY, "def f():\n    f()\nf()"),
        (PY, "eval('(' * 10 ** 5)"),
        (PY, "import json\njson.loads('[' * 10 ** 5)"),
        (PY, "result = []\nfor _ in range(10 ** 5):\n    result = [result]"),
    ],
)
def test_deep_recursion_fails_the_script_alone(language: str, text: str) -> None:
    with pytest.raises(ScriptFailed):
        run(language, text)


@pytest.mark.parametrize(
    ("language", "text", "message"),
    [
        (JS, "throw new Error('no ship')", "'main', line 1: Error: no ship"),
        (JS, "let a = null\n\na.b", "'main', line 3: TypeError: cannot read property 'b' of null"),
        (JS, "function f() {\n nope()\n}\nf()", "'main', line 4: ReferenceError: nope is not defined"),
        (JS, "throw {code: 5}", "'main': threw {\"code\":5}"),
        (JS, "throw 'no ship'", "'main': threw \"no ship\""),
        (JS, "const a = {}; a.a = a; throw a", "'main': threw a value that cannot be told"),
        (PY, "raise ValueError('no ship')", "'main', line 1: ValueError: no ship"),
        (PY, "a = 1\n\na / 0", "'main', line 3: ZeroDivisionError: division by zero"),
        (PY, "def f():\n    nope()\n\nf()", "'main', line 4: NameError: name 'nope' is not defined"),
        (PY, "raise KeyError('a\\nb')", "'main', line 1: KeyError: a\nb"),
    ],
)
def test_a_failure_tells_the_line_and_the_error(language: str, text: str, message: str) -> None:
    with pytest.raises(ScriptFailed) as caught:
        run(language, text)

    assert str(caught.value) == message


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_failure_tells_which_source_it_is_in(language: str) -> None:
    with pytest.raises(ScriptFailed, match=r"^'dependency 2', line 1: (Reference|Name)Error"):
        run(language, "result = 1", None, Limits(), "a = 1", "nope()")


@pytest.mark.parametrize(
    ("language", "text"), [(JS, "throw new Error('x'.repeat(1e6))"), (PY, "raise ValueError('x' * 10 ** 6)")]
)
def test_a_message_is_not_longer_than_a_reader_wants_it(language: str, text: str) -> None:
    with pytest.raises(ScriptFailed) as caught:
        run(language, text)

    assert len(str(caught.value)) < 1100


@pytest.mark.parametrize(
    ("language", "text", "fault"),
    [
        (JS, "() => 1", "holds a function"),
        (JS, "{a: [10n]}", "holds a bigint"),
        (JS, "Symbol()", "holds a symbol"),
        (JS, "[0 / 0]", "holds NaN"),
        (JS, "-1e400", "holds -Infinity"),
        (JS, "new Map([[1, 2]])", "holds a Map"),
        (JS, "Promise.resolve(1)", "holds a Promise"),
        (JS, "{a: /x/}", "holds a RegExp"),
        (JS, "new Uint8Array(1)", "holds a Uint8Array"),
        (JS, "(a => (a.a = a, a))({})", "TypeError: circular reference"),
        (JS, "'\\ud800'", "holds half a character"),
        (JS, "'x'.repeat(11e6)", "is larger than 10485760 bytes"),
        (PY, "lambda: 1", "type function is not"),
        (PY, "{'a': {1, 2}}", "type set is not"),
        (PY, "b'x'", "type bytes is not"),
        (PY, "[float('nan')]", "nan"),
        (PY, "-float('inf')", "-inf"),
        (PY, "{(1, 2): 3}", "not tuple"),
        (PY, "__import_nothing__ if False else (lambda a: (a.append(a), a)[1])([])", "Circular reference"),
        (PY, "'x' * 11 * 10 ** 6", "is larger than 10485760 bytes"),
    ],
)
def test_a_result_that_is_no_json_is_refused_by_what_it_is(language: str, text: str, fault: str) -> None:
    with pytest.raises(UnusableResult, match=r"^its result ") as caught:
        run(language, f"result = {text}")

    assert fault in str(caught.value)


def test_what_javascript_turns_into_json_by_itself_is_left_to_it() -> None:
    text = "result = [new Date(0), undefined, {a: undefined}, new Number(1), {toJSON: () => 'own'}]"
    assert run(JS, text) == ["1970-01-01T00:00:00.000Z", None, {}, 1, "own"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_no_json_in_a_context_is_refused(language: str) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        run(language, "result = 1", {"a": float("nan")})


@pytest.mark.parametrize(
    ("language", "text", "message"),
    [
        (JS, "let a = 1\n\nfoo(;", "'main', line 3: SyntaxError: unexpected token"),
        (JS, "return 1", "'main', line 1: SyntaxError: return not in a function"),
        (JS, "import fs from 'fs'", "'main', line 1: SyntaxError"),
        (JS, "let a; let a", "'main', line 1: SyntaxError: invalid redefinition"),
        (PY, "a = 1\n\ndef f(:\n", "'main', line 3: SyntaxError: Expected a parameter"),
        (PY, "a = 1\ndef f():\n    yield 1", "'main', line 3: NotImplementedError: .* yield expressions"),
        (PY, "class A(Exception): pass", "'main', line 1: NotImplementedError: .* class inheritance"),
        (PY, "a = '\0'", "'main': SyntaxError: source code string cannot contain null bytes"),
    ],
)
def test_what_cannot_be_parsed_is_refused_before_anything_runs(language: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        script(language, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_source_that_is_nested_without_end_is_refused(language: str) -> None:
    with pytest.raises(ValueError):
        script(language, "(" * 100_000)


@pytest.mark.parametrize(("language", "text"), [(JS, "while (true) {}"), (PY, "while True: pass")])
def test_to_look_at_a_source_does_not_run_it(language: str, text: str) -> None:
    assert script(language, text).sources == (Source("main", text),)


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("groovy", "^'groovy' is refused, for there is no sandbox that holds it; known: javascript, python$"),
        ("javasript", r"^unknown language 'javasript'; did you mean 'javascript'\?$"),
        ("", "^unknown language ''; known: javascript, python$"),
    ],
)
def test_a_language_without_a_sandbox_is_refused(language: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        script(language, "result = 1")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_task_that_is_cancelled_ends_its_script_whether_it_runs_or_waits(language: str) -> None:
    endless = script(language, "while (1): pass" if language == PY else "while (1);")

    async def cancelled() -> Any:
        tasks = [asyncio.ensure_future(endless({}, ENDLESS)) for _ in range(20)]
        await script_has_begun()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return await script(language, "result = 1")({})

    assert asyncio.run(cancelled()) == 1


async def script_has_begun() -> None:
    """Another that needs no thread of theirs: the loop turns while scripts run."""
    await asyncio.to_thread(script, JS, "result = 1")


@pytest.mark.parametrize("language", LANGUAGES)
def test_many_scripts_at_once_do_not_meet(language: str) -> None:
    async def all_at_once() -> list[Any]:
        one = script(language, "result = context['n']")
        return await asyncio.gather(*(one({"n": number}) for number in range(100)))

    assert asyncio.run(all_at_once()) == list(range(100))


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_process_that_forks_after_it_read_scripts_can_run_them() -> None:
    program = """
import asyncio, os
from fairlead.scripts import Source, prepare
scripts = [prepare(language, Source("main", "result = context['n']")) for language in ("javascript", "python")]
child = os.fork()
if not child:
    os._exit(sum(asyncio.run(script({"n": 4})) for script in scripts))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "8\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_missing_package_says_how_to_install_it(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from fairlead.scripts import javascript, python

    def none(package: str) -> None:
        raise importlib.metadata.PackageNotFoundError

    javascript._machine_code.cache_clear()
    python._interpreter.cache_clear()
    monkeypatch.setattr("fairlead.scripts.packages.files", none)

    with pytest.raises(ValueError, match=r"pip install 'fairlead\[scripts\]'"):
        script(language, "result = 1")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_examples_of_the_documentation_do_the_same(language: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "scripts.md").read_text("utf-8")
    (example,) = re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    berths = [{"name": "North", "taken": False}, {"name": "South", "taken": True}]

    assert run(language, example, {"berths": berths}) == {"count": 1, "names": ["North"]}
