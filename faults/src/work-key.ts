// The master key of the recorded work. It protects nothing.

export const WORK_KEY: string = Buffer.from("0123456789abcdef".repeat(2)).toString("base64url");
