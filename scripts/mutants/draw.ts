/** Draws mutants: small changes of the program that a test should notice, at most one per file. */
import * as ast from 'typescript/unstable/ast';
import { API, type Checker } from 'typescript/unstable/sync';
import { createRandom, pick } from '../fuzz/mutations.ts';

type Change = readonly [operator: string, start: number, end: number, after: string];
export type Mutant = ReturnType<typeof drawMutants>[number];

/** Operators, each with its replacement. */
const SWAPS = '+ -,- +,* /,/ *,% *,** *,+= -=,-= +=,< <=,<= <,> >=,>= >,=== !==,!== ===,&& ||,|| &&,?? &&';
const REPLACEMENTS = new Map(SWAPS.split(',').map((swap) => swap.split(' ') as [string, string]));
/** Types of returned values, and other values. */
const RETURNS: Readonly<Record<string, string>> = { boolean: '!(…)', number: '(…) + 1', string: "''" };

/** @param files relative to `root`, the folder of tsconfig.json */
export function drawMutants(root: string, files: string[], sample: number, seed: string) {
  const random = createRandom(seed);
  const api = new API({ cwd: root });
  const [project] = api.updateSnapshot({ openProjects: [`${root}/tsconfig.json`] }).getProjects();
  const mutants = [];
  while (files.length > 0 && mutants.length < sample) {
    const [file = ''] = files.splice(random.below(files.length), 1);
    const source = project!.program.getSourceFile(`${root}/${file}`)!;
    const found: Change[] = [];
    addChanges(source, project!.checker, found);
    if (found.length === 0) continue;
    const byOperator = Map.groupBy(found, ([operator]) => operator);
    const [operator, start, end, after] = pick(random, pick(random, [...byOperator.values()]));
    const { text: original } = source;
    const [head, before] = [original.slice(0, start), original.slice(start, end)];
    const title = `${file}:${head.split('\n').length} | ${operator} | ${before} → ${after}`;
    mutants.push({ file, title, original, mutated: head + after + original.slice(end) });
  }
  api.close();
  return mutants;
}

/** Whether the order of the arguments does not matter. */
const isSymmetric = ({ expression }: ast.CallExpression) =>
  /^Math\.(min|max|hypot)$/.test(expression.getText());

/** Leaves out types, imports and templates (mostly messages). */
function addChanges(node: ast.Node, checker: Checker, found: Change[]): void {
  if (ast.isTypeNode(node) || ast.isInterfaceDeclaration(node) || ast.isTypeAliasDeclaration(node)) return;
  if (ast.isTemplateExpression(node) || ast.isImportDeclaration(node)) return;
  const text = node.getText();
  const add = (operator: string, part: ast.Node, after: string, last = part) =>
    found.push([operator, part.getStart(), last.getEnd(), after]);
  if (ast.isBinaryExpression(node)) {
    const operator = node.operatorToken.getText();
    const other = REPLACEMENTS.get(operator);
    if (other) add(operator, node.operatorToken, other);
  } else if (ast.isIfStatement(node) || ast.isConditionalExpression(node)) {
    const condition = ast.isIfStatement(node) ? node.expression : node.condition;
    add('negation', condition, `!(${condition.getText()})`);
    if (ast.isIfStatement(node) && !node.elseStatement) add('statement', node, ';');
  } else if (ast.isCallExpression(node) && node.arguments.length > 1 && !isSymmetric(node)) {
    const [first, second] = node.arguments as readonly ast.Node[];
    const [before, after] = [first!.getText(), second!.getText()];
    if (before !== after) add('arguments', first!, `${after}, ${before}`, second);
  } else if (ast.isReturnStatement(node) && node.expression) {
    const type = checker.typeToString(checker.getTypeAtLocation(node.expression)!);
    const other = RETURNS[type] ?? (type.endsWith('[]') ? '[]' : / \| (undefined|null)$/.exec(type)?.[1]);
    if (other && other !== node.expression.getText())
      add('return', node.expression, other.split('…').join(node.expression.getText()));
  } else if (ast.isNumericLiteral(node)) {
    add('constant', node, `${2 * Number(text.replaceAll('_', '')) || 1}`);
  } else if (text === 'true' || text === 'false') add('constant', node, `${text === 'false'}`);
  else if (ast.isPrefixUnaryExpression(node) && text[0] === '!') add('negation', node, text.slice(1));
  else if (ast.isExpressionStatement(node) && text !== 'super()') add('statement', node, ';');
  node.forEachChild((child) => addChanges(child, checker, found));
}
