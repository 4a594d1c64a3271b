using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Assistants.Documents.Chunking;
using Stoa.Assistants.Documents.Crawling;
using Stoa.Assistants.Documents.Reading;
using Stoa.Assistants.Documents.Vectors;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Documents.Contents;

/// <summary>Whose document, and under which name.</summary>
internal sealed record DocumentKey(string UserId, Guid OrganizationId, DocumentType Type, string Name, int? WebsiteId = null);

/// <summary>A document's next version, thought out and ready to be written.</summary>
/// <param name="Changed">What has to be written; chunks that are as they were are not among them.</param>
/// <param name="Count">Of chunks, the unchanged ones included.</param>
internal sealed record NewVersion(
    DocumentKey Key, ReadableText Readable, byte[] Hash, string Language, int? DocumentId,
    int Version, bool IsSame, IReadOnlyList<NewChunk> Changed, int Count);

internal sealed record NewChunk(
    int Index, string Text, byte[] Hash, byte[]? Embedding, string? Model, string? Signature, DateTimeOffset? EmbeddedAt);

/// <summary>
/// Writes versions of documents. A version is prepared without a transaction, where models are asked for vectors of what is new, and
/// written in one: a search sees the old one or the new one, never half of each. What a chunk says decides whether its vector is made anew.
/// </summary>
internal sealed class DocumentContents(AssistantsDb db, DocumentVectors vectors, ChunkRelevance relevance, TimeProvider time)
{
    /// <param name="context">Of the job that reads the document; null: a request, which asks no model and leaves the vectors to a
    /// job.</param>
    public async Task<NewVersion> PrepareAsync(
        DocumentKey key, ReadableText readable, string userLanguage, JobContext? context, CancellationToken ct)
    {
        var hash = readable.Hash();
        var language = readable.Language.Length > 0 ? readable.Language : userLanguage;
        var stored = (await db.Database.SqlQuery<Stored>($"""
            select id, version, content_hash, deleted_at is not null as is_deleted, language from assistants.documents
            where user_id = {key.UserId} and md5(name) = md5({key.Name})
            """).ToListAsync(ct)).FirstOrDefault();
        if (stored is { IsDeleted: false } && stored.ContentHash.AsSpan().SequenceEqual(hash) && stored.Language == language)
        {
            return new(key, readable, hash, language, stored.Id, stored.Version, IsSame: true, [], 0);
        }
        var model = vectors.ModelFor(key.OrganizationId);
        var old = stored is null ? [] : await OldChunksAsync(stored.Id, ct);
        var texts = await relevance.KeepAsync(key, TextChunks.Of(readable.Text), old.Values.Select(chunk => chunk.Hash), context, ct);
        var chunks = texts.Select((text, index) => (Text: text, Index: index, Hash: SHA256.HashData(Encoding.UTF8.GetBytes(text))))
            .ToList();

        var kept = old.Values.Where(chunk => chunk.Model == model && chunk.Embedding is not null)
            .DistinctBy(chunk => Convert.ToHexString(chunk.Hash))
            .ToDictionary(chunk => Convert.ToHexString(chunk.Hash), StringComparer.Ordinal);
        var missing = chunks.Where(chunk => !kept.ContainsKey(Convert.ToHexString(chunk.Hash))).DistinctBy(chunk => chunk.Text).ToList();
        var made = context is null
            ? [] : await vectors.OfAsync(key.OrganizationId, [.. missing.Select(chunk => chunk.Text)], context, goesOn: relevance.Asks, ct);
        var byText = missing.Zip(made).ToDictionary(pair => pair.First.Text, pair => pair.Second, StringComparer.Ordinal);

        var isRetitled = stored is null || stored.IsDeleted || stored.Language != language
            || old.Values.Any(chunk => chunk.Title != readable.Title);
        var changed = new List<NewChunk>();
        foreach (var (text, index, chunkHash) in chunks)
        {
            if (byText.TryGetValue(text, out var vector))
            {
                changed.Add(new(index, text, chunkHash, VectorBytes.Write(vector.Numbers),
                    vector.Model, VectorBytes.Signature(vector.Numbers), time.GetUtcNow()));
                continue;
            }
            var same = kept.GetValueOrDefault(Convert.ToHexString(chunkHash));
            if (isRetitled || !old.TryGetValue(index, out var there) || !there.Hash.AsSpan().SequenceEqual(chunkHash))
            {
                changed.Add(new(index, text, chunkHash, same?.Embedding, same?.Model, same?.Signature, same?.EmbeddedAt));
            }
        }
        return new(key, readable, hash, language, stored?.Id, stored?.Version ?? 0, IsSame: false, changed, chunks.Count);
    }

    /// <summary>In the caller's transaction, behind his fence. The document's id.</summary>
    /// <exception cref="Failure">Conflict: the document has moved on since the version was prepared.</exception>
    public async Task<int> WriteAsync(NewVersion next, PageVersion? page, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var key = next.Key;
        var type = key.Type == DocumentType.Webpage ? "webpage" : "learned_by_mojo";
        var ids = await db.Database.SqlQuery<int>($"""
            insert into assistants.documents as d
              (user_id, website_id, document_type, name, title, language, content_hash, etag, last_modified, version, created_at,
                updated_at, checked_at)
            values ({key.UserId}, {key.WebsiteId}, {type}, {key.Name}, {next.Readable.Title}, {next.Language}, {next.Hash}, {page?.Etag},
              {page?.LastModified}, 1, {now}, {now}, {now})
            on conflict (user_id, md5(name)) do update
            set title = excluded.title, language = excluded.language, content_hash = excluded.content_hash, etag = excluded.etag,
              last_modified = excluded.last_modified,
                website_id = coalesce(d.website_id, excluded.website_id), checked_at = excluded.checked_at,
              updated_at = case when {next.IsSame} then d.updated_at else excluded.updated_at end,
              version = d.version + case when {next.IsSame} then 0 else 1 end, update_error = null, deleted_at = null,
              is_deleted_by_user = false
            where d.version = {next.Version}
            returning id as "Value"
            """).ToListAsync(ct);
        if (ids is not [var id])
        {
            throw new Failure(FailureKind.Conflict, "document_changed", "The document was changed in between");
        }
        if (!next.IsSame)
        {
            await WriteChunksAsync(id, next, ct);
        }
        return id;
    }

    /// <summary>The page is as it was: only when that was seen is noted.</summary>
    public Task CheckedAsync(int documentId, CancellationToken ct) => db.Documents.Where(document => document.Id == documentId)
        .ExecuteUpdateAsync(
            set => set.SetProperty(document => document.CheckedAt, time.GetUtcNow())
            .SetProperty(document => document.UpdateError, (string?)null), ct);

    /// <summary>It is as it was, and its user is shown why.</summary>
    public Task FailedAsync(int documentId, string because, CancellationToken ct) =>
        db.Documents.Where(document => document.Id == documentId)
        .ExecuteUpdateAsync(
            set => set.SetProperty(document => document.CheckedAt, time.GetUtcNow()).SetProperty(document => document.UpdateError, because),
            ct);

    /// <summary>The document is marked, and its chunks with it: nothing finds them any more.</summary>
    public async Task DeleteAsync(int documentId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await db.Database.ExecuteSqlAsync($"""
            with gone as (
              update assistants.documents
                set deleted_at = {now}, version = version + 1, content_hash = null, etag = null, last_modified = null
              where id = {documentId} and deleted_at is null returning id
            )
            update assistants.document_chunks c set deleted_at = {now} from gone where c.document_id = gone.id and c.deleted_at is null
            """, ct);
    }

    private async Task WriteChunksAsync(int id, NewVersion next, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection());
        var changed = next.Changed;
        if (next.DocumentId is not null)
        {
            // What the user had deleted does not come back; and what a shorter text no longer has is gone for good.
            batch.BatchCommands.Add(
                new("delete from assistants.document_chunks where document_id = $1 and (deleted_at is not null or index >= $2)")
            {
                Parameters = { new() { Value = id }, new() { Value = next.Count } },
            });
        }
        batch.BatchCommands.Add(new("""
            insert into assistants.document_chunks as c
              (document_id, user_id, title, language, index, text, content_hash, embedding, embedding_model, signature, embedded_at)
            select $1, $2, $3, $4, n.index, n.text, n.hash, n.embedding, n.model, n.signature::varbit, n.embedded_at
            from unnest($5::integer[], $6::text[], $7::bytea[], $8::bytea[], $9::text[], $10::text[], $11::timestamptz[])
              n (index, text, hash, embedding, model, signature, embedded_at)
            on conflict (document_id, index) where deleted_at is null do update
            set title = excluded.title, language = excluded.language, text = excluded.text, content_hash = excluded.content_hash,
              embedding = excluded.embedding, embedding_model = excluded.embedding_model, signature = excluded.signature,
              embedded_at = excluded.embedded_at
            """)
        {
            Parameters =
            {
                new() { Value = id }, new() { Value = next.Key.UserId },
                new() { Value = next.Readable.Title }, new() { Value = next.Language },
                new() { Value = changed.Select(chunk => chunk.Index).ToArray() },
                new() { Value = changed.Select(chunk => chunk.Text).ToArray() },
                new() { Value = changed.Select(chunk => chunk.Hash).ToArray() },
                new() { Value = changed.Select(chunk => chunk.Embedding).ToArray() },
                new() { Value = changed.Select(chunk => chunk.Model).ToArray() },
                new() { Value = changed.Select(chunk => chunk.Signature).ToArray() },
                new() { Value = changed.Select(chunk => chunk.EmbeddedAt).ToArray() },
            },
        });
        await batch.ExecuteNonQueryAsync(ct);
    }

    private async Task<Dictionary<int, OldChunk>> OldChunksAsync(int documentId, CancellationToken ct) =>
        (await db.Database.SqlQuery<OldChunk>($"""
        select index, title, content_hash as hash, embedding, embedding_model as model, signature::text as signature, embedded_at
        from assistants.document_chunks where document_id = {documentId} and deleted_at is null
        """).ToListAsync(ct)).ToDictionary(chunk => chunk.Index);

    private sealed record Stored(int Id, int Version, byte[]? ContentHash, bool IsDeleted, string Language);

    private sealed record OldChunk(
        int Index, string Title, byte[] Hash, byte[]? Embedding, string? Model, string? Signature, DateTimeOffset? EmbeddedAt);
}
