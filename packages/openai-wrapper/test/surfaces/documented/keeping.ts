// Calls that make or change something at the provider: rows of the table of surfaces, by operation.
import { type Case, described, png, usage, user } from "./samples.ts";

const run = {
  id: "run_1",
  object: "thread.run",
  thread_id: "thread_1",
  model: "gpt-5",
  status: "completed",
  usage,
};
const action = {
  type: "submit_tool_outputs",
  submit_tool_outputs: {
    tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }],
  },
};

export const KEEPING: Record<string, readonly Case[]> = {
  "files.create": [
    {
      how: "with a file",
      answer: { id: "file_1", object: "file" },
      call: (client) => client.files.create({ purpose: "batch", file: png }),
      input: { purpose: "batch", file: described },
      output: { id: "file_1", object: "file" },
      entry: { responseId: "file_1", parameters: { purpose: "batch", path: "/files" } },
    },
  ],
  "batches.create": [
    {
      how: "of a file",
      answer: { id: "batch_1", status: "validating" },
      call: (client) =>
        client.batches.create({
          input_file_id: "file_1",
          endpoint: "/v1/responses",
          completion_window: "24h",
        }),
      input: { input_file_id: "file_1", endpoint: "/v1/responses", completion_window: "24h" },
      output: { id: "batch_1", status: "validating" },
      entry: { finishReasons: ["validating"] },
    },
  ],
  "batches.cancel": [
    {
      how: "by id",
      answer: { id: "batch_1", status: "cancelling" },
      call: (client) => client.batches.cancel("batch_1"),
      input: {},
      output: { id: "batch_1", status: "cancelling" },
      entry: { parameters: { path: "/batches/batch_1/cancel" } },
    },
  ],
  "fine_tuning.jobs.create": [
    {
      how: "of a file",
      answer: { id: "ftjob_1", status: "queued" },
      call: (client) => client.fineTuning.jobs.create({ model: "gpt-5", training_file: "file_1" }),
      input: { model: "gpt-5", training_file: "file_1" },
      output: { id: "ftjob_1", status: "queued" },
      entry: { model: "gpt-5" },
    },
  ],
  create_agent: [
    {
      how: "with instructions",
      answer: { id: "asst_1", object: "assistant" },
      call: (client) => client.beta.assistants.create({ model: "gpt-5", instructions: "Help." }),
      input: { model: "gpt-5", instructions: "Help." },
      output: { id: "asst_1", object: "assistant" },
    },
  ],
  "threads.create": [
    {
      how: "with a message",
      answer: { id: "thread_1", object: "thread" },
      call: (client) => client.beta.threads.create({ messages: [user] }),
      input: { messages: [user] },
      output: { id: "thread_1", object: "thread" },
    },
  ],
  "threads.runs.create": [
    {
      how: "with instructions",
      answer: run,
      call: (client) =>
        client.beta.threads.runs.create("thread_1", {
          assistant_id: "asst_1",
          instructions: "Help.",
        }),
      input: { instructions: "Help." },
      output: "",
      entry: {
        responseId: "run_1",
        run: { threadId: "thread_1" },
        inputTokens: 7,
        outputTokens: 3,
      },
    },
  ],
  "threads.create_and_run": [
    {
      how: "with a thread, that wants a tool called",
      answer: { ...run, status: "requires_action", required_action: action },
      call: (client) =>
        client.beta.threads.createAndRun({ assistant_id: "asst_1", thread: { messages: [user] } }),
      input: { thread: { messages: [user] } },
      output: action,
      entry: { finishReasons: ["requires_action"], run: { threadId: "thread_1" } },
    },
  ],
  "threads.runs.submit_tool_outputs": [
    {
      how: "with one",
      answer: run,
      call: (client) =>
        client.beta.threads.runs.submitToolOutputs("run_1", {
          thread_id: "thread_1",
          tool_outputs: [{ tool_call_id: "call_1", output: "22" }],
        }),
      input: { tool_outputs: [{ tool_call_id: "call_1", output: "22" }] },
      output: "",
    },
  ],
  "threads.runs.cancel": [
    {
      how: "by id",
      answer: { ...run, status: "cancelling" },
      call: (client) => client.beta.threads.runs.cancel("run_1", { thread_id: "thread_1" }),
      input: {},
      output: "",
      entry: { responseId: "run_1", run: { threadId: "thread_1" }, finishReasons: ["cancelling"] },
    },
  ],
  "threads.runs.retrieve": [
    {
      how: "by id",
      answer: run,
      call: (client) => client.beta.threads.runs.retrieve("run_1", { thread_id: "thread_1" }),
      input: {},
      output: "",
      entry: { responseId: "run_1", run: { threadId: "thread_1" }, inputTokens: 7 },
    },
  ],
  "threads.messages.create": [
    {
      how: "of the user",
      answer: { id: "msg_1", object: "thread.message" },
      call: (client) => client.beta.threads.messages.create("thread_1", user),
      input: "Hello!",
      output: "",
      entry: { responseId: "msg_1", run: { threadId: "thread_1" } },
    },
  ],
  "chat.retrieve": [
    {
      how: "by id",
      answer: {
        id: "chatcmpl-1",
        choices: [
          { index: 0, finish_reason: "stop", message: { role: "assistant", content: "Hi" } },
        ],
      },
      call: (client) => client.chat.completions.retrieve("chatcmpl-1"),
      input: { completion_id: "chatcmpl-1" },
      output: "Hi",
      entry: { responseId: "chatcmpl-1", finishReasons: ["stop"] },
    },
  ],
  "batches.retrieve": [
    {
      how: "fetched",
      answer: { id: "x_1", status: "completed" },
      call: (client) => client.get("/batches/batch_1"),
      input: {},
      output: { id: "x_1", status: "completed" },
      entry: { finishReasons: ["completed"], parameters: { path: "/batches/batch_1" } },
    },
  ],
  "videos.retrieve": [
    {
      how: "fetched",
      answer: { id: "x_1", status: "completed" },
      call: (client) => client.get("/videos/video_1"),
      input: {},
      output: { id: "x_1", status: "completed" },
      entry: { finishReasons: ["completed"], parameters: { path: "/videos/video_1" } },
    },
  ],
  "conversations.items.list": [
    {
      how: "fetched",
      answer: { id: "x_1", status: "completed" },
      call: (client) => client.get("/conversations/conv_1/items"),
      input: {},
      output: { id: "x_1", status: "completed" },
      entry: { finishReasons: ["completed"], parameters: { path: "/conversations/conv_1/items" } },
    },
  ],
  "threads.messages.list": [
    {
      how: "fetched",
      answer: { id: "x_1", status: "completed" },
      call: (client) => client.get("/threads/thread_1/messages"),
      input: {},
      output: { id: "x_1", status: "completed" },
      entry: { finishReasons: ["completed"], parameters: { path: "/threads/thread_1/messages" } },
    },
  ],
  "evals.runs.output_items.list": [
    {
      how: "fetched",
      answer: { id: "x_1", status: "completed" },
      call: (client) => client.get("/evals/eval_1/runs/run_1/output_items"),
      input: {},
      output: { id: "x_1", status: "completed" },
      entry: {
        finishReasons: ["completed"],
        parameters: { path: "/evals/eval_1/runs/run_1/output_items" },
      },
    },
  ],
  "agents.sessions.events": [
    {
      how: "fetched",
      answer: { id: "x_1", status: "completed" },
      call: (client) => client.get("/agents/sessions/s_1/events"),
      input: {},
      output: { id: "x_1", status: "completed" },
      entry: { finishReasons: ["completed"], parameters: { path: "/agents/sessions/s_1/events" } },
    },
  ],
  "agents.sessions.items.list": [
    {
      how: "fetched",
      answer: { id: "x_1", status: "completed" },
      call: (client) => client.get("/agents/sessions/s_1/items"),
      input: {},
      output: { id: "x_1", status: "completed" },
      entry: { finishReasons: ["completed"], parameters: { path: "/agents/sessions/s_1/items" } },
    },
  ],
};

/** What has no operation of its own. */
export const OTHERS: Record<string, readonly Case[]> = {
  "files.delete": [
    {
      how: "DELETE",
      answer: { id: "file_1", object: "file", deleted: true },
      call: (client) => client.files.delete("file_1"),
      input: {},
      output: { id: "file_1", object: "file", deleted: true },
      entry: { responseId: "file_1", parameters: { path: "/files/file_1" } },
    },
  ],
  "/vector_stores": [
    {
      how: "POST",
      answer: { id: "vs_1", object: "vector_store" },
      call: (client) => client.vectorStores.create({ name: "Mine" }),
      input: { name: "Mine" },
      output: { id: "vs_1", object: "vector_store" },
      entry: { responseId: "vs_1", parameters: { path: "/vector_stores" } },
    },
  ],
  "/vector_stores/{id}/files/{id}": [
    {
      how: "PATCH",
      answer: { id: "file_1" },
      call: (client) =>
        client.patch("/vector_stores/vs_1/files/file_1", { body: { attributes: { a: 1 } } }),
      input: { attributes: { a: 1 } },
      output: { id: "file_1" },
    },
  ],
  "/something/new": [
    {
      how: "PUT",
      answer: { token: "t-secret", ok: true },
      call: (client) => client.put("/something/new", { body: { api_key: "k-secret", a: 1 } }),
      input: { api_key: "[REDACTED]", a: 1 },
      output: { token: "[REDACTED]", ok: true },
    },
  ],
  "/organization/admin_api_keys": [
    {
      how: "POST",
      answer: { id: "key_1", value: "sk-admin-secret" },
      call: (client) => client.post("/organization/admin_api_keys", { body: { name: "Mine" } }),
      input: { omitted: "credentials" },
      output: { omitted: "credentials" },
    },
  ],
};
