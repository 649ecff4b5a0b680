import { createHash } from "node:crypto";
import { defineConfig } from "vite";

const NOTICE =
  "Copyright (c) 2026 securescan.kubernetes contributors; GNU General Public License v3.0+; built from page/ of the collection";

/** Everything in one file, whose policy lets nothing but this script and this style run. */
function oneFile() {
  return {
    name: "one-file",
    enforce: "post",
    generateBundle(_options, bundle) {
      const page = bundle["index.html"];
      let script = "";
      let style = "";
      for (const [name, made] of Object.entries(bundle)) {
        if (name === "index.html") continue;
        if (made.type === "chunk") script += made.code;
        else if (name.endsWith(".css")) style += made.source;
        else throw new Error(`${name} would be a file of its own`);
        delete bundle[name];
      }
      script = script.trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
      style = style.trim();
      const policy = [
        "default-src 'none'",
        `script-src '${digest(script)}'`,
        `style-src '${digest(style)}'`,
        "img-src data:",
        "connect-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ].join("; ");
      let text = String(page.source)
        .replace(/\s*<script type="module"[^>]*><\/script>/, "")
        .replace(/\s*<link rel="stylesheet"[^>]*>/, "");
      text = put(text, '<meta charset="utf-8" />', `<meta charset="utf-8" />\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`);
      text = put(text, "</head>", `  <style>${style}</style>\n  </head>`);
      text = put(text, "</body>", `  <script>${script}</script>\n  </body>`);
      text = put(text, "<html", `<!-- ${NOTICE} -->\n<html`);
      page.source = text;
    },
  };
}

function digest(text) {
  return `sha256-${createHash("sha256").update(text, "utf8").digest("base64")}`;
}

function put(text, place, other) {
  if (text.split(place).length !== 2) throw new Error(`${place} must be there once`);
  return text.replace(place, () => other);
}

export default defineConfig({
  plugins: [oneFile()],
  build: {
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: { output: { format: "iife" } },
  },
});
