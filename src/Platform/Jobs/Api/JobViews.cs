using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stoa.Platform.Data;

namespace Stoa.Platform.Jobs.Api;

/// <summary>A job as lists and watchers see it. Its arguments are not among that: they can be large, or secret.</summary>
/// <param name="Attempts">Runs that count, the present one included.</param>
internal record JobView(
    Guid Id,
    string Kind,
    string State,
    string Priority,
    DateTimeOffset CreatedAt,
    DateTimeOffset RunAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    int Attempts,
    int MaxAttempts,
    JobProgressView? Progress,
    bool IsCancelRequested,
    string? Error,
    string? Fingerprint,
    Guid? OrganizationId,
    Guid? PersonId,
    Guid? KeyId,
    string Tenant,
    string CreatedBy,
    string? CorrelationId,
    string? UniqueKey,
    string? Node,
    Guid? ReplayOf,
    Guid? After)
{
    [JsonIgnore]
    public bool IsFinal { get; private init; }

    /// <summary>Two looks at a job that show the same have the same version.</summary>
    [JsonIgnore]
    public string Version { get; private init; } = "";

    public static JobView Of(JobRow row) => new(
        row.Id, row.Kind, EnumNames<JobState>.Write(row.State), EnumNames<JobPriority>.Write(row.Priority), row.CreatedAt, row.RunAt,
        row.StartedAt, row.FinishedAt, row.Attempts, row.MaxAttempts,
        row.ProgressDone is { } done ? new(done, row.ProgressTotal, row.ProgressNote) : null, row.IsCancelRequested, row.Error,
        row.Fingerprint, row.Owner.OrganizationId, row.Owner.PersonId, row.Owner.KeyId, row.Owner.Tenant ?? "",
        row.Owner.CreatedBy, row.CorrelationId, row.UniqueKey, row.Node, row.ReplayOf, row.After)
    {
        IsFinal = row.State >= JobState.Succeeded,
        Version = VersionOf(row),
    };

    private static string VersionOf(JobRow row)
    {
        var shown = string.Create(
            CultureInfo.InvariantCulture,
            $"{row.State} {row.Attempt} {row.History.GetArrayLength()} {row.RunAt.UtcTicks} {row.IsCancelRequested} "
            + $"{row.ProgressDone} {row.ProgressTotal} {row.ProgressNote}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(shown)).AsSpan(0, 8));
    }
}

/// <param name="Total">Null when it is not known.</param>
internal sealed record JobProgressView(long Done, long? Total, string? Note);

/// <summary>A job with all that is known of it.</summary>
internal sealed record JobDetail : JobView
{
    public JobDetail(JobRow row, bool isSensitive)
        : base(Of(row)) => (Arguments, History) = (isSensitive ? null : row.Args, row.History);

    /// <summary>Null when the kind keeps them to itself.</summary>
    public JsonElement? Arguments { get; }

    /// <summary>Every run that did not end well or asked models, and every act of a person, oldest first.</summary>
    public JsonElement History { get; }
}
