using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Jobs;

/// <summary>Settings of the jobs engine, section <c>Jobs</c>.</summary>
public sealed class JobOptions
{
    public const string Section = "Jobs";

    /// <summary>Jobs that one process runs at the same time.</summary>
    [Range(1, 1_000)]
    public int Workers { get; set; } = 8;

    /// <summary>How often a worker looks for due jobs when nothing wakes it.</summary>
    [Range(10, 60_000)]
    public int PollMs { get; set; } = 500;

    /// <summary>At the most this often an enqueue is told to the other processes.</summary>
    [Range(1, 1_000)]
    public int WakeMs { get; set; } = 20;

    /// <summary>
    /// At the most this long after the death of a process others wait before they take its jobs over; a kind of job may ask for less.
    /// A process that stands still for longer loses what it runs.
    /// </summary>
    [Range(5, 60)]
    public int LeaseSeconds { get; set; } = 60;

    /// <summary>How long a stopping worker lets jobs finish before it hands them back.</summary>
    [Range(0, 3_600)]
    public int DrainSeconds { get; set; } = 10;

    /// <summary>Finished jobs are kept for so many whole months besides the current one.</summary>
    [Range(1, 120)]
    public int KeepMonths { get; set; } = 3;

    /// <summary>By kind: so many run at the same time in the cluster, where the kind itself does not say less.</summary>
    public Dictionary<string, int> MaxRunning { get; set; } = new(StringComparer.Ordinal);
}

[OptionsValidator]
internal sealed partial class JobOptionsValidator : IValidateOptions<JobOptions>;

/// <summary>Limits of kinds that there are, and that can be.</summary>
internal sealed class JobLimitsValidator(IEnumerable<JobKind> kinds) : IValidateOptions<JobOptions>
{
    public ValidateOptionsResult Validate(string? name, JobOptions options)
    {
        var known = kinds.Select(kind => kind.Name).ToHashSet(StringComparer.Ordinal);
        return options.MaxRunning.Keys.FirstOrDefault(kind => !known.Contains(kind)) is { } unknown
            ? ValidateOptionsResult.Fail($"{nameof(options.MaxRunning)} names '{unknown}', which is no kind of job")
            : options.MaxRunning.Values.Any(limit => limit < 1)
                ? ValidateOptionsResult.Fail($"{nameof(options.MaxRunning)}: a limit must be at least 1")
                : ValidateOptionsResult.Success;
    }
}
