using System.Data;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Cortexes;

/// <summary>
/// One process on one subject, run as a job: load what it needs, think about it with no connection held, save in the transaction that ends
/// the job. So its effect happens once however often it is run, and the saving takes the same way as the route that is written back to.
/// </summary>
/// <param name="db">Both <see cref="LoadAsync"/> and <see cref="SaveAsync"/> work with it.</param>
internal abstract class Cortex<TJob, TSubject, TThought>(AssistantsDb db) : IJobHandler<TJob>
    where TSubject : class
{
    private const int Steps = 3;

    public async Task RunAsync(TJob job, JobContext context, CancellationToken ct)
    {
        var subject = await LoadAtOnceAsync(job, ct) ?? throw JobFailure.Discard("Its subject is gone, or was dealt with before");
        context.Report(1, Steps, "thinking");
        var thought = await ThinkAsync(subject, context, ct);
        context.Report(2, Steps, "saving");
        db.ChangeTracker.Clear();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // First the fence: a run that is over changes nothing, and waits for nobody's rows.
        await context.FenceAsync(db, ct);
        await SaveAsync(subject, thought, ct);
        await db.SaveChangesAsync(ct);
        context.Report(Steps, Steps, "done");
        await context.CompleteAsync(db, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Everything that the process needs. Null: nothing is left to do.</summary>
    protected abstract Task<TSubject?> LoadAsync(TJob job, CancellationToken ct);

    /// <summary>May take minutes; by <see cref="Mind"/>.</summary>
    protected abstract Task<TThought> ThinkAsync(TSubject subject, JobContext context, CancellationToken ct);

    /// <summary>
    /// In a transaction, by the service that the write-back route uses. The subject may have moved on since it was loaded: what no longer
    /// fits is not written, or thrown away by <see cref="JobFailure.Discard"/>.
    /// </summary>
    protected abstract Task SaveAsync(TSubject subject, TThought thought, CancellationToken ct);

    // All statements see the same moment, however many they are.
    private async Task<TSubject?> LoadAtOnceAsync(TJob job, CancellationToken ct)
    {
        await using var moment = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var subject = await LoadAsync(job, ct);
        await moment.CommitAsync(ct);
        return subject;
    }
}

/// <summary>The rules of jobs that ask models.</summary>
internal static class CortexRules
{
    /// <summary>
    /// Five attempts, 2 s to 5 min; for one user two at a time, whatever they think about. What we ourselves refuse is not tried again.
    /// </summary>
    public static readonly JobRules Default = new()
    {
        MaxAttempts = 5,
        FirstWait = TimeSpan.FromSeconds(2),
        LongestWait = TimeSpan.FromMinutes(5),
        MaxRunningPerTenant = 2,
        TenantPool = "assistants.thinking",
        // Somebody may be waiting: a node that died is made up for soon.
        Lease = TimeSpan.FromSeconds(30),
        OnFailure = thrown => thrown is Failure { Kind: var kind } && IsBeyondRepair(kind) ? FailureRule.Dead : null,
    };

    /// <summary>Somebody waits for it.</summary>
    public static readonly JobRules Interactive = Default with { Priority = JobPriority.High };

    public static readonly JobRules Bulk = Default with { Priority = JobPriority.Bulk };

    /// <summary>Reads or embeds documents, perhaps for minutes: that takes no place from what somebody waits for.</summary>
    public static readonly JobRules Reading = Bulk with { TenantPool = null };

    /// <summary>Nothing is tried again after this.</summary>
    public static bool IsLast(Exception thrown, JobContext context) =>
        thrown is not JobFailure && (context.IsLastAttempt || (thrown is Failure { Kind: var kind } && IsBeyondRepair(kind)));

    private static bool IsBeyondRepair(FailureKind kind) => kind is FailureKind.Invalid or FailureKind.NotFound or FailureKind.TooLarge
        or FailureKind.UnsupportedMedia or FailureKind.Forbidden or FailureKind.Quota;
}
