// Runs the sources of a job one after the other in the global scope, and writes what came of it:
// "=" and the result in JSON, "-" for no result, "?" and why the result is no JSON, "!" and what failed.
(() => {
  const { evalScript, out } = std;
  const { parse, stringify } = JSON;
  const { isFinite } = Number;
  const tagOf = Function.prototype.call.bind(Object.prototype.toString);
  const [context, sources] = scriptArgs.map((argument) => parse(argument));
  const plain = ["[object Object]", "[object Array]", "[object String]", "[object Number]", "[object Boolean]"];
  const isPlain = Set.prototype.has.bind(new Set(plain));
  const nothing = () => {};
  let fault = null;

  for (const name of ["std", "os", "bjson", "scriptArgs", "execArgv", "argv0", "gc", "navigator", "performance"]) {
    delete globalThis[name];
  }
  globalThis.print = nothing;
  globalThis.console = { log: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
  globalThis.context = context;

  function described(error) {
    try {
      return error instanceof Error ? `${error.name}: ${error.message}` : `threw ${stringify(error)}`;
    } catch {
      return "threw a value that cannot be told";
    }
  }

  function json(key, value) {
    const type = typeof value;
    if (type === "function" || type === "symbol" || type === "bigint") fault = `holds a ${type}`;
    else if (type === "number" && !isFinite(value)) fault = `holds ${value}`;
    else if (type === "object" && value !== null && !isPlain(tagOf(value))) fault = `holds a ${tagOf(value).slice(8, -1)}`;
    if (fault !== null) throw fault;
    return value;
  }

  function answer() {
    let source = 0;
    try {
      while (source < sources.length) {
        evalScript(sources[source]);
        source += 1;
      }
    } catch (error) {
      return "!" + stringify({ source, message: `${described(error)}`, stack: `${error?.stack ?? ""}` });
    }
    try {
      const text = stringify(evalScript("typeof result === 'undefined' ? undefined : result"), json);
      return text === undefined ? "-" : "=" + text;
    } catch (error) {
      return "?" + (fault ?? `cannot be told as JSON: ${described(error)}`);
    }
  }

  out.puts(answer());
  out.flush();
})();
