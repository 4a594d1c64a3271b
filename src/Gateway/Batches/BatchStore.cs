using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Gateway.Dialects;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Batches;

/// <summary>Batches of an organization, each with the job that does it.</summary>
internal sealed class BatchStore(GatewayDb db, TimeProvider time)
{
    public static readonly TimeSpan Window = TimeSpan.FromHours(24);
    public static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    public Batch Make(BatchKind kind, ApiKey key, string endpoint) => Make(kind, key.OrganizationId, key, endpoint);

    /// <param name="key">Null when a person starts it.</param>
    public Batch Make(BatchKind kind, Guid organizationId, ApiKey? key, string endpoint)
    {
        var now = time.GetUtcNow();
        return new()
        {
            Id = AnswerIds.NewOrdered(PrefixOf(kind), time),
            OrganizationId = organizationId,
            Kind = kind,
            KeyId = key?.Id ?? Guid.Empty,
            KeyPrefix = key?.Prefix ?? "",
            Endpoint = endpoint,
            Status = BatchStatus.Validating,
            Document = [],
            CreatedAt = now,
            ExpiresAt = now + Window,
        };
    }

    /// <summary>The batch, its lines as far as they are known, and its job: committed together.</summary>
    /// <param name="alongside">What else belongs to it, written in the same transaction.</param>
    public async Task AddAsync(
        Batch batch, IReadOnlyList<BatchLine> lines, CancellationToken ct, Func<NpgsqlConnection, Task>? alongside = null)
    {
        var key = batch.KeyId == Guid.Empty ? (Guid?)null : batch.KeyId;
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        db.Add(batch);
        db.Enqueue(new RunBatch(batch.Id), new()
        {
            Owner = new(batch.OrganizationId, KeyId: key, CreatedBy: key is null ? "person" : $"key:{key}"),
            Priority = JobPriority.Low,
        });
        await db.SaveChangesAsync(ct);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        if (lines.Count > 0)
        {
            await BatchLines.AddAsync(connection, batch.Id, lines, ct);
        }
        await (alongside?.Invoke(connection) ?? Task.CompletedTask);
        await transaction.CommitAsync(ct);
    }

    public Task<Batch?> FindAsync(Guid organizationId, BatchKind kind, string id, CancellationToken ct) =>
        db.Batches.AsNoTracking()
            .FirstOrDefaultAsync(batch => batch.OrganizationId == organizationId && batch.Kind == kind && batch.Id == id, ct);

    /// <summary>The newest first: those behind one of them, or those next before it, and whether there are more that way.</summary>
    public async Task<(List<Batch> Page, bool HasMore)> ListAsync(
        Guid organizationId, BatchKind kind, string? after, string? before, int limit, CancellationToken ct)
    {
        var batches = db.Batches.AsNoTracking().Where(batch => batch.OrganizationId == organizationId && batch.Kind == kind);
        if ((after ?? before) is { } id)
        {
            if (!AnswerIds.IsOrdered(PrefixOf(kind), id))
            {
                throw new Failure(
                    FailureKind.NotFound, "not_found", "No such batch", [new(after is null ? "before_id" : "after", "unknown")]);
            }
            batches = after is not null ? batches.Where(batch => batch.Id.CompareTo(id) < 0)
                : batches.Where(batch => batch.Id.CompareTo(id) > 0);
        }
        var isBackwards = after is null && before is not null;
        var found = await (isBackwards
            ? batches.OrderBy(batch => batch.Id)
            : batches.OrderByDescending(batch => batch.Id)).Take(limit + 1).ToListAsync(ct);
        var page = found.Take(limit);
        return ([.. isBackwards ? page.Reverse() : page], found.Count > limit);
    }

    /// <summary>Its job sees it before it reads on. Nothing happens when it is over.</summary>
    public Task CancelAsync(Batch batch, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return db.Batches
            .Where(row => row.Id == batch.Id && (row.Status == BatchStatus.Validating || row.Status == BatchStatus.InProgress))
            .ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Status, BatchStatus.Cancelling).SetProperty(row => row.CancellingAt, now), ct);
    }

    /// <exception cref="Failure">It is not over yet.</exception>
    public async Task DeleteAsync(Batch batch, CancellationToken ct)
    {
        if (await db.Batches.Where(row => row.Id == batch.Id && row.EndedAt != null).ExecuteDeleteAsync(ct) == 0)
        {
            throw Failure.Invalid("A batch that is under way must be cancelled first");
        }
    }

    private static string PrefixOf(BatchKind kind) => kind == BatchKind.Anthropic ? "msgbatch_" : "batch_";
}
