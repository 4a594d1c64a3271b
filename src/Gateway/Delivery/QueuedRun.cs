using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Stoa.Gateway.Delivery;

/// <summary>A run that was accepted and is answered later. As a message it holds no secret of the request.</summary>
internal sealed record QueuedRun
{
    /// <summary>The message id of the run; the same however often it is tried.</summary>
    public required string Id { get; init; }

    [JsonPropertyName("org_id")]
    public required Guid OrganizationId { get; init; }

    /// <summary>Whatever <see cref="IRunHandler"/> needs to run it.</summary>
    public required JsonObject Request { get; init; }

    /// <summary>How it is answered: <c>{"type": "webhook" | "RTLayer", "cred": {…}}</c>.</summary>
    public required JsonObject ResponseFormat { get; init; }

    /// <summary>Where its secrets are kept; null when it has none.</summary>
    public Guid? KeyRef { get; init; }

    /// <summary>The trace of its cause (W3C).</summary>
    public string? Trace { get; init; }

    public DateTimeOffset EnqueuedAt { get; init; }

    /// <summary>From 1 on.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>How often it was taken back out of the dead letters.</summary>
    public int Replay { get; init; }

    /// <summary>What the receiver knows the answer by: a replay may say something else than what was delivered before it.</summary>
    [JsonIgnore]
    public string DeliveryId => Replay == 0 ? Id : $"{Id}-{Replay}";
}

/// <summary>Runs what was queued. The queue repeats and delivers; this asks the model.</summary>
internal interface IRunHandler
{
    /// <summary>The answer of an earlier attempt that succeeded, as it is delivered; null when there is none.</summary>
    Task<JsonObject?> FindAnswerAsync(QueuedRun run, CancellationToken ct);

    Task<RunOutcome> RunAsync(QueuedRun run, CancellationToken ct);
}

/// <summary>How a queued run ended.</summary>
/// <param name="Payload">What is delivered: <c>{"response" | "error", "success", "variables"}</c>.</param>
/// <param name="Retryable">Why it failed, where another attempt may succeed.</param>
internal sealed record RunOutcome(JsonObject Payload, string? Retryable = null);
