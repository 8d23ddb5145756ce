// VitePress's own theme with the fonts of the reader's system: nothing is loaded from elsewhere.
import DefaultTheme from "vitepress/theme-without-fonts";
import "./style.css"; // oxlint-disable-line import/no-unassigned-import -- the way Vite takes a style sheet

export default DefaultTheme;
