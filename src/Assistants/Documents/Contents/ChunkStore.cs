using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Documents.Vectors;

namespace Stoa.Assistants.Documents.Contents;

/// <summary>
/// Chunks that the background service of another installation has made. Of which model its vectors are it does not say, so they cannot be
/// compared with ours: they are kept as a stranger's until a job has made our own.
/// </summary>
internal sealed class ChunkStore(AssistantsDb db, DocumentJobs jobs)
{
    private const string Stranger = "unknown";

    /// <summary>The chunk of this place; null where the document is not there.</summary>
    public async Task<int?> PutAsync(int documentId, int index, string text, float[] embedding, CancellationToken ct) =>
        await SaveAsync(db.Database.SqlQuery<Saved>($"""
        insert into assistants.document_chunks as c
          (document_id, user_id, title, language, index, text, content_hash, embedding, embedding_model, signature)
        select d.id, d.user_id, d.title, d.language, {index}, {text}, {HashOf(text)}, {VectorBytes.Write(embedding)}, {Stranger},
          {VectorBytes.Signature(embedding)}::varbit
        from assistants.documents d where d.id = {documentId} and d.deleted_at is null
        on conflict (document_id, index) where deleted_at is null do update
        set text = excluded.text, content_hash = excluded.content_hash, embedding = excluded.embedding,
          embedding_model = excluded.embedding_model,
          signature = excluded.signature
        returning id, document_id
        """), ct);

    /// <summary>Null where it is not there.</summary>
    public async Task<int?> UpdateAsync(int chunkId, string text, float[] embedding, CancellationToken ct) =>
        await SaveAsync(db.Database.SqlQuery<Saved>($"""
        update assistants.document_chunks set text = {text}, content_hash = {HashOf(text)}, embedding = {VectorBytes.Write(embedding)},
          embedding_model = {Stranger}, signature = {VectorBytes.Signature(embedding)}::varbit
        where id = {chunkId} and deleted_at is null
        returning id, document_id
        """), ct);

    public async Task<bool> DeleteAsync(int chunkId, CancellationToken ct) => await db.Database.ExecuteSqlAsync($"""
        with gone as (
          update assistants.document_chunks set deleted_at = now() where id = {chunkId} and deleted_at is null returning document_id
        )
        update assistants.documents d set version = version + 1, content_hash = null from gone where d.id = gone.document_id
        """, ct) > 0;

    private async Task<int?> SaveAsync(IQueryable<Saved> statement, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await statement.ToListAsync(ct) is not [var saved])
        {
            return null;
        }
        // Whoever prepares a version of the document now has to begin anew, and its text is no longer what it was made of.
        var owner = (await db.Database.SqlQuery<Owner>($"""
            with touched as (
              update assistants.documents set version = version + 1, content_hash = null where id = {saved.DocumentId} returning user_id
            )
            select u.id, u.organization_id, u.person_id from touched join assistants.users u on u.id = touched.user_id
            """).ToListAsync(ct))[0];
        jobs.Embed(saved.DocumentId, JobOwners.Of(owner.Id, owner.OrganizationId, owner.PersonId));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return saved.Id;
    }

    private static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    private sealed record Saved(int Id, int DocumentId);

    private sealed record Owner(string Id, Guid OrganizationId, Guid? PersonId);
}
