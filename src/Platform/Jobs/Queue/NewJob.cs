using Stoa.Platform.Data;

namespace Stoa.Platform.Jobs;

/// <summary>A job about to be added: the typed record as JSON, with the terms of its kind and its own.</summary>
public sealed class NewJob
{
    internal NewJob(JobKind kind, object job, EnqueueOptions options, Guid id, string? traceParent)
    {
        Kind = kind;
        Args = kind.Write(job);
        Options = options;
        TraceParent = traceParent;
        Receipt = new(id);
    }

    public JobReceipt Receipt { get; }

    internal JobKind Kind { get; }

    internal string Args { get; }

    internal EnqueueOptions Options { get; }

    internal string? TraceParent { get; }

    internal Guid? ReplayOf { get; init; }

    internal JobPriority Priority => Options.Priority ?? Kind.Rules.Priority;

    internal int MaxAttempts => Options.MaxAttempts ?? Kind.Rules.MaxAttempts;

    internal TimeSpan? MaxAge => Options.MaxAge ?? Kind.Rules.MaxAge;

    /// <summary>With commas between; null when every end counts.</summary>
    internal string? UniqueIn => Options.UniqueFor is null || EnqueueOptions.Ends.All(Options.UniqueIn.Contains)
        ? null
        : string.Join(',', Options.UniqueIn.Select(EnumNames<JobState>.Write));

    internal string? LimitKey => Kind.Rules.IsLimited ? Options.LimitKey ?? "" : null;

    internal string Tenant => Options.Owner.Tenant ?? Options.Owner.OrganizationId?.ToString() ?? "";
}
