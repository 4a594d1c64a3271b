using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Documents.Contents;
using Stoa.Assistants.Documents.Retrieval;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Documents;

/// <summary>What the background service of another installation writes back about documents, and what it asks.</summary>
internal static class DocumentCallbacksApi
{
    // More than any chunk has, and less than an index over words can bear.
    private const int LongestChunk = 100_000;

    private const int MostDimensions = 8_192;

    public static void MapDocumentCallbacks(this IEndpointRouteBuilder routes)
    {
        var callbacks = routes.MapGroup("").WithTags("Callbacks")
            .RequireMojodexService(MojodexService.Background).WithMetadata(WireTexts.Documents);
        callbacks.MapPut("/document", CreateAsync).WithSummary("Create a document");
        callbacks.MapPost("/document", TouchAsync).WithSummary("Note when a document was updated");
        callbacks.MapPut("/document_chunk", AddChunkAsync).WithSummary("Add a chunk");
        callbacks.MapPost("/document_chunk", UpdateChunkAsync).WithSummary("Change a chunk");
        callbacks.MapDelete("/document_chunk", DeleteChunkAsync).WithSummary("Delete a chunk");
        callbacks.MapGet("/document_chunk", RetrieveAsync).WithSummary("Find chunks of the owner of an execution");
    }

    internal static async Task<Ok<DocumentKey>> CreateAsync(Body<NewDocument> body, DocumentStore documents, CancellationToken ct) =>
        TypedResults.Ok(new DocumentKey(
            await documents.CreateAsync(body.Value.UserId, body.Value.Name, body.Value.Type, ct) ?? throw Failure.NotFound("User")));

    internal static async Task<Ok<DocumentKey>> TouchAsync(Body<UpdatedDocument> body, DocumentStore documents, CancellationToken ct) =>
        await documents.TouchAsync(body.Value.DocumentId, body.Value.UpdatedAt, ct)
            ? TypedResults.Ok(new DocumentKey(body.Value.DocumentId))
            : throw Failure.NotFound("Document");

    internal static async Task<Ok<ChunkKey>> AddChunkAsync(Body<NewChunk> body, ChunkStore chunks, CancellationToken ct)
    {
        var (document, index, text, embedding) = body.Value;
        return TypedResults.Ok(
            new ChunkKey(await chunks.PutAsync(document, index, text, embedding, ct) ?? throw Failure.NotFound("Document")));
    }

    internal static async Task<Ok<ChunkKey>> UpdateChunkAsync(Body<ChangedChunk> body, ChunkStore chunks, CancellationToken ct)
    {
        var (chunk, text, embedding) = body.Value;
        return TypedResults.Ok(new ChunkKey(await chunks.UpdateAsync(chunk, text, embedding, ct) ?? throw Failure.NotFound("Chunk")));
    }

    /// <summary>
    /// The original says in the body which one, and calls a form JSON; its server looks into the query. Whatever it is, it is read.
    /// </summary>
    internal static async Task<Ok<ChunkKey>> DeleteChunkAsync(Anywhere<DeletedChunk> sent, ChunkStore chunks, CancellationToken ct) =>
        await chunks.DeleteAsync(sent.Value.ChunkId, ct)
            ? TypedResults.Ok(new ChunkKey(sent.Value.ChunkId)) : throw Failure.NotFound("Chunk");

    internal static async Task<Ok<RetrievedList>> RetrieveAsync(
        Query<RetrieveQuery> query, HttpContext context, AssistantsDb db, DocumentSearch search, CancellationToken ct)
    {
        var (question, execution, most) = query.Value;
        var owner = (await db.Database.SqlQuery<Owner>($"""
            select u.id, u.organization_id from assistants.task_executions e join assistants.users u on u.id = e.user_id
            where e.id = {execution} and e.deleted_at is null
            """).ToListAsync(ct)).FirstOrDefault() ?? throw Failure.NotFound("user_task_execution");
        var found = await search.FindAsync(owner.Id, owner.OrganizationId, question, most, context.RequestId(), ct);
        return TypedResults.Ok(new RetrievedList([.. found.Select(one => new Retrieved(one.Text, one.Source))]));
    }

    private static float[] VectorOf(Fields fields)
    {
        var sent = fields.Json("embedding");
        if (fields.IsDocument)
        {
            return [];
        }
        if (sent.ValueKind != JsonValueKind.Array || sent.GetArrayLength() is 0 or > MostDimensions)
        {
            throw fields.Wrong("embedding");
        }
        return [.. sent.EnumerateArray().Select(number =>
            number.ValueKind == JsonValueKind.Number && number.TryGetSingle(out var value)
            && float.IsFinite(value) ? value : throw fields.Wrong("embedding"))];
    }

    internal sealed record NewDocument(string Name, string Type, string UserId) : IArguments<NewDocument>
    {
        public static NewDocument Read(Fields fields) => new(
            fields.Text("name", most: 2_048), fields.Choice("document_type", "learned_by_mojo", "webpage"),
            fields.Text("user_id", Fields.ShortText));
    }

    internal sealed record UpdatedDocument(int DocumentId, DateTimeOffset UpdatedAt) : IArguments<UpdatedDocument>
    {
        public static UpdatedDocument Read(Fields fields) => new(fields.Integer("document_pk"), fields.Instant("update_date"));
    }

    internal sealed record NewChunk(int DocumentId, int Index, string Text, float[] Embedding) : IArguments<NewChunk>
    {
        public static NewChunk Read(Fields fields)
        {
            var (document, index) = (fields.Integer("document_fk"), fields.Integer("chunk_index"));
            return index >= 0 ? new(document, index, fields.Text("chunk_text", LongestChunk), VectorOf(fields))
                : throw fields.Wrong("chunk_index");
        }
    }

    internal sealed record ChangedChunk(int ChunkId, string Text, float[] Embedding) : IArguments<ChangedChunk>
    {
        public static ChangedChunk Read(Fields fields) =>
            new(fields.Integer("chunk_pk"), fields.Text("chunk_text", LongestChunk), VectorOf(fields));
    }

    internal sealed record DeletedChunk(int ChunkId) : IArguments<DeletedChunk>
    {
        // Sent in the body by some and in the query by others; nobody uses it.
        public static bool HasDatetime => false;

        public static DeletedChunk Read(Fields fields) => new(fields.Integer("chunk_pk"));
    }

    internal sealed record RetrieveQuery(string Question, int ExecutionId, int Most) : IArguments<RetrieveQuery>
    {
        public static RetrieveQuery Read(Fields fields)
        {
            var question = fields.Text("query", most: 8_000);
            var execution = fields.Integer("user_task_execution_pk");
            fields.Text("task_name_for_system");
            var most = fields.OptionalInteger("top_k") ?? 1;
            return most >= 1 ? new(question, execution, Math.Min(most, DocumentSearch.MostResults)) : throw fields.Wrong("top_k");
        }
    }

    internal sealed record DocumentKey(int DocumentPk);

    internal sealed record ChunkKey(int DocumentChunkPk);

    internal sealed record RetrievedList(IReadOnlyList<Retrieved> DocumentChunks);

    internal sealed record Retrieved(string Text, string Source);

    private sealed record Owner(string Id, Guid OrganizationId);
}
