using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Jobs;

/// <summary>One kind of job: its stable name, how its record is written, its rules, and its handler.</summary>
internal abstract record JobKind(string Name, Type Type, JobRules Rules)
{
    public abstract string Write(object job);

    /// <summary>Throws when the text is not a job of this kind.</summary>
    public abstract object Read(string args);

    public abstract Task RunAsync(IServiceProvider services, object job, JobContext context, CancellationToken ct);
}

internal sealed record JobKind<TJob, THandler>(string Name, JsonTypeInfo<TJob> Json, JobRules Rules) : JobKind(Name, typeof(TJob), Rules)
    where TJob : class
    where THandler : class, IJobHandler<TJob>
{
    public override string Write(object job) => JsonSerializer.Serialize((TJob)job, Json);

    public override object Read(string args) => JsonSerializer.Deserialize(args, Json) ?? throw new JsonException("The arguments are null");

    public override Task RunAsync(IServiceProvider services, object job, JobContext context, CancellationToken ct) =>
        services.GetRequiredService<THandler>().RunAsync((TJob)job, context, ct);
}

/// <summary>All kinds that this version of the program knows.</summary>
internal sealed class JobKinds
{
    private readonly FrozenDictionary<string, JobKind> byName;
    private readonly FrozenDictionary<Type, JobKind> byType;

    public JobKinds(IEnumerable<JobKind> kinds, IOptions<JobOptions> options)
    {
        var longest = TimeSpan.FromSeconds(options.Value.LeaseSeconds);
        JobKind[] all =
        [
            .. kinds.Select(kind => kind.Rules.Lease <= longest ? kind : kind with { Rules = kind.Rules with { Lease = longest } })
                .Select(kind => kind with { Rules = Limited(kind, options.Value.MaxRunning) }),
        ];
        byName = all.ToFrozenDictionary(kind => kind.Name, StringComparer.Ordinal);
        byType = all.ToFrozenDictionary(kind => kind.Type);
    }

    private static JobRules Limited(JobKind kind, Dictionary<string, int> most) => most.TryGetValue(kind.Name, out var limit)
        ? (kind.Rules with { MaxRunning = kind.Rules.MaxRunning < limit ? kind.Rules.MaxRunning : limit }).Checked(kind.Name)
        : kind.Rules;

    public IEnumerable<JobKind> All => byName.Values;

    public JobKind? Find(string name) => byName.GetValueOrDefault(name);

    public JobKind Of(Type job) => byType.GetValueOrDefault(job)
        ?? throw new InvalidOperationException($"{job.Name} is no job: AddJob was not called for it");
}
