using System.Collections.Concurrent;

namespace Stoa.Platform.Jobs;

/// <summary>The jobs whose leases this process holds.</summary>
internal sealed class JobNode
{
    private readonly ConcurrentDictionary<Guid, RunningJob> jobs = new();
    private readonly ConcurrentDictionary<string, bool> succeeded = new(StringComparer.Ordinal);

    public JobNode(JobWakeUps wakeUps) => Name = $"{Environment.MachineName}:{Environment.ProcessId}:{wakeUps.Process[^8..]}";

    /// <summary>Different for each start of the process.</summary>
    public string Name { get; }

    /// <summary>Held while progress is written.</summary>
    public SemaphoreSlim ProgressGate { get; } = new(1, 1);

    public ICollection<RunningJob> Jobs => jobs.Values;

    public RunningJob? Find(Guid id) => jobs.GetValueOrDefault(id);

    public void Add(RunningJob job) => jobs[job.Job.Id] = job;

    /// <summary>Only this run: a later one of the same job may have come in meanwhile.</summary>
    public void Remove(RunningJob job)
    {
        jobs.TryRemove(new(job.Job.Id, job));
        job.Dispose();
    }

    /// <summary>Kinds that have succeeded since somebody asked.</summary>
    public string[] TakeSucceeded()
    {
        string[] kinds = [.. succeeded.Keys];
        foreach (var kind in kinds)
        {
            succeeded.TryRemove(kind, out _);
        }
        return kinds;
    }

    public void Succeeded(string kind) => succeeded[kind] = true;
}
