/** Lint rules of this project: one thing a statement, nothing packed. `deno lint` runs them. */

/** Refuses `const a = 1, b = 2;`: a reader looks for names at the starts of lines. */
const oneDeclaration: Deno.lint.Rule = {
  create: (context) => ({
    VariableDeclaration(node) {
      if (node.declarations.length < 2 || node.parent.type.startsWith("For")) return;
      context.report({ node, message: "Declare one name in a statement" });
    },
  }),
};

/** Refuses `{ ...{ a, b }, c }`, `[...[a, b], c]`, `[a, b] = [1, 2]` and `const [, b] = c`. */
const nothingPacked: Deno.lint.Rule = {
  create: (context) => ({
    SpreadElement(node) {
      if (!/^(Object|Array)Expression$/.test(node.argument.type)) return;
      context.report({ node, message: "Write the members out instead of spreading a literal" });
    },
    ArrayPattern(node) {
      // The tree leaves holes out.
      if (!/^\[\s*,|,\s*,/.test(context.sourceCode.getText(node))) return;
      context.report({ node, message: "Name what is passed over (_), or take it by its place" });
    },
    AssignmentExpression(node) {
      if (node.left.type !== "ArrayPattern" || node.right.type !== "ArrayExpression") return;
      context.report({ node, message: "Assign one thing in a statement" });
    },
  }),
};

const plugin: Deno.lint.Plugin = {
  name: "backhand",
  rules: { "one-declaration": oneDeclaration, "nothing-packed": nothingPacked },
};

export default plugin;
