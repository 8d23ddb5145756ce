// The browser's part of `ai-audit view`.
import { render } from "preact";
import { VerdictBanner } from "../views/verdict-banner.tsx";

const root = document.getElementById("app");
if (root === null) throw new Error("the page has no element #app");
const answer = await fetch("/api/verdict");
render(<VerdictBanner result={await answer.json()} />, root);
