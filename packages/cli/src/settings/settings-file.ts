// The commented settings file that `init` writes.
import { SETTINGS, type SettingName } from "./settings.ts";

/**
 * Text of a settings file: every setting with its purpose; settings without a value are comments.
 */
export function formatSettings(values: Readonly<Partial<Record<SettingName, string>>>): string {
  const own: Readonly<Partial<Record<string, string>>> = values;
  const blocks = Object.entries(SETTINGS).map(([name, purpose]) => {
    const value = own[name];
    return `# ${purpose}\n${value === undefined ? `#${name}=` : `${name}=${value}`}\n`;
  });
  return `${HEADER}\n${blocks.join("\n")}`;
}

const HEADER = `# Settings of the ai-audit command. It reads this file from the directory it is run in, or from where AUDIT_CONFIG
# says. Environment variables of the same names win. Relative paths start here.
`;
