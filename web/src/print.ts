/**
 * Room: web widget. Puts one code with one sentence on paper, and nothing else of the page. A style sheet made by
 * script is not an inline style, so that a strict Content-Security-Policy allows it.
 */

const ID = "ademruimte-print";
const RULES = `
  @media not print { #${ID} { display: none; } }
  @media print {
    body > :not(#${ID}) { display: none !important; }
    #${ID} { color: #000; font: 14pt/1.5 sans-serif; }
    #${ID} strong { display: block; margin-bottom: 0.5em; font-size: 24pt; letter-spacing: 0.05em; }
  }`;

/** Opens the browser's print window; what this returns takes the code out of the page again, as the window's end does. */
export function printCode(code: string, sentence: string): () => void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(RULES);
  const paper = document.createElement("div");
  paper.id = ID;
  paper.lang = "nl";
  const digits = document.createElement("strong");
  digits.textContent = code;
  const words = document.createElement("p");
  words.textContent = sentence;
  paper.append(digits, words);
  const remove = () => {
    paper.remove();
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
  };
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  document.body.append(paper);
  window.addEventListener("afterprint", remove, { once: true });
  window.print();
  return remove;
}
