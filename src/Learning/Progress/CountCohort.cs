using Stoa.Platform.Jobs;

namespace Stoa.Learning.Progress;

internal sealed record CountCohort(int CohortId)
{
    public const string Kind = "learning.count_cohort";
}

/// <summary>Counts a cohort that is too large for anybody to wait for it.</summary>
internal sealed class CountCohortHandler(Standings standings) : IJobHandler<CountCohort>
{
    // Each keeps a connection busy.
    public static readonly JobRules Rules = new() { MaxRunning = 2 };

    public Task RunAsync(CountCohort job, JobContext context, CancellationToken ct) => standings.CountInPartsAsync(job.CohortId, ct);
}
