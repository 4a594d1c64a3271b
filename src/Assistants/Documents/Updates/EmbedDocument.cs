using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Documents.Contents;
using Stoa.Assistants.Documents.Vectors;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Documents.Updates;

internal sealed record EmbedDocument(int DocumentId)
{
    public const string Kind = "assistants.embed_document";
}

/// <summary>
/// Makes the vectors that a document's chunks lack, or have of another model. Until then the old ones are found as before.
/// </summary>
internal sealed class EmbedDocumentHandler(AssistantsDb db, DocumentContents contents, DocumentVectors vectors) : IJobHandler<EmbedDocument>
{
    private const string WithoutVectors = "No vectors could be made of it: it is found by its words alone";

    public static readonly JobRules Rules = CortexRules.Reading;

    private const int AtOnce = 100;

    public async Task RunAsync(EmbedDocument job, JobContext context, CancellationToken ct)
    {
        var organization = (await db.Database.SqlQuery<Guid>($"""
            select u.organization_id as "Value" from assistants.documents d join assistants.users u on u.id = d.user_id
            where d.id = {job.DocumentId} and d.deleted_at is null
            """).ToListAsync(ct)) is [var found] ? found : throw JobFailure.Discard("The document is gone");
        if (vectors.ModelFor(organization) is not { } model)
        {
            throw JobFailure.Discard("No model makes vectors");
        }
        try
        {
            await EmbedAsync(job.DocumentId, organization, model, context, ct);
        }
        catch (Exception failed) when (!ct.IsCancellationRequested && CortexRules.IsLast(failed, context))
        {
            await contents.FailedAsync(job.DocumentId, WithoutVectors, ct);
            throw;
        }
        await db.Documents.Where(document => document.Id == job.DocumentId && document.UpdateError == WithoutVectors)
            .ExecuteUpdateAsync(set => set.SetProperty(document => document.UpdateError, (string?)null), ct);
    }

    private async Task EmbedAsync(int documentId, Guid organization, string model, JobContext context, CancellationToken ct)
    {
        for (var last = 0; ;)
        {
            var chunks = await db.Database.SqlQuery<Chunk>($"""
                select id, text, content_hash as hash from assistants.document_chunks
                where document_id = {documentId} and id > {last} and deleted_at is null and embedding_model is distinct from {model}
                order by id limit {AtOnce}
                """).ToListAsync(ct);
            if (chunks.Count == 0)
            {
                return;
            }
            var made = await vectors.OfAsync(organization, chunks.ConvertAll(chunk => chunk.Text), context, goesOn: false, ct);
            await SaveAsync(chunks, made, context, ct);
            last = chunks[^1].Id;
        }
    }

    private async Task SaveAsync(List<Chunk> chunks, IReadOnlyList<TextVector> made, JobContext context, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await using var update = new NpgsqlCommand("""
            update assistants.document_chunks c
              set embedding = n.embedding, embedding_model = n.model, signature = n.signature::varbit, embedded_at = now()
            from unnest($1::integer[], $2::bytea[], $3::bytea[], $4::text[], $5::text[]) n (id, hash, embedding, model, signature)
            where c.id = n.id and c.content_hash = n.hash and c.deleted_at is null
            """, (NpgsqlConnection)db.Database.GetDbConnection())
        {
            Parameters =
            {
                new() { Value = chunks.Select(chunk => chunk.Id).ToArray() },
                new() { Value = chunks.Select(chunk => chunk.Hash).ToArray() },
                new() { Value = made.Select(vector => VectorBytes.Write(vector.Numbers)).ToArray() },
                new() { Value = made.Select(vector => vector.Model).ToArray() },
                new() { Value = made.Select(vector => VectorBytes.Signature(vector.Numbers)).ToArray() },
            },
        };
        await update.ExecuteNonQueryAsync(ct);
        // The job's row last, as with whoever changes chunks and asks for this job: in another order they would wait for each other.
        await context.FenceAsync(db, ct);
        await transaction.CommitAsync(ct);
    }

    private sealed record Chunk(int Id, string Text, byte[] Hash);
}
