// Retrieval: which documents an answer stands on is an entry before the answer's own.
import { AuditLogger, withAuditContext } from "@ai-audit/core";
import { AuditCallbackHandler } from "@ai-audit/langchain-callback";
import { Document } from "@langchain/core/documents";
import { BaseRetriever } from "@langchain/core/retrievers";

class Archive extends BaseRetriever {
  override lc_namespace = ["archive"];
  override async _getRelevantDocuments(): Promise<Document[]> {
    const metadata = { source: "s3://invoices/invoice-17.pdf", score: 0.93 };
    return [new Document({ id: "inv-17", pageContent: "950 EUR to Acme", metadata })];
  }
}

const logger = new AuditLogger("./audit-logs/retrieval", { storeContent: true });
const callbacks = [new AuditCallbackHandler(logger)];
await withAuditContext({ conversationId: "conv-1" }, () =>
  new Archive().invoke("What does invoice 17 say?", { callbacks }),
);
for await (const entry of logger.entries()) {
  const { input, output } = logger.content(entry);
  console.log(entry.operation, JSON.stringify(input), JSON.stringify(output));
}
await logger.close();
