using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Platform.Data;

namespace Stoa.Gateway.Delivery;

/// <summary>What becomes of a queued run after an attempt; each transport does it in its own way.</summary>
internal abstract record QueueVerdict
{
    private QueueVerdict()
    {
    }

    /// <summary>Its answer was taken for delivery.</summary>
    internal sealed record Done : QueueVerdict;

    /// <param name="IsCounted">False when nothing was tried, because the database is away.</param>
    internal sealed record Again(TimeSpan Wait, string Reason, bool IsCounted = true) : QueueVerdict;

    /// <summary>Attempts are used up. The receiver was told; the run is a dead letter now.</summary>
    internal sealed record Dead(string Reason) : QueueVerdict;
}

/// <summary>
/// One attempt of a queued run, the same for every transport: run it unless that was done before, and deliver the answer.
/// </summary>
internal sealed partial class QueuedRuns(
    IServiceScopeFactory scopes, RunSecrets secrets, RunLeases leases, RunDelivery delivery,
    IOptions<GatewayOptions> options, TimeProvider time, ILogger<QueuedRuns> logger)
{
    /// <summary>After each failed attempt; then it is given up.</summary>
    public static readonly TimeSpan[] Waits = [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5)];

    private static readonly QueueVerdict.Done Done = new();

    public async Task<QueueVerdict> RunAsync(QueuedRun message, CancellationToken ct)
    {
        try
        {
            if (await secrets.WithSecretsAsync(message, ct) is not { } run)
            {
                return new QueueVerdict.Dead("Its secrets are no longer kept");
            }
            await using var lease = await leases.TryTakeAsync(run.OrganizationId, run.DeliveryId, ct);
            if (lease is null)
            {
                return new QueueVerdict.Again(Waits[0], "It is being run elsewhere", IsCounted: false);
            }
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, lease.Lost);
            var outcome = await OutcomeAsync(run, either.Token);
            if (outcome.Retryable is { } reason && message.Attempt <= Waits.Length)
            {
                return new QueueVerdict.Again(Waits[message.Attempt - 1], reason);
            }
            await delivery.DeliverAsync(run.OrganizationId, run.ResponseFormat, outcome.Payload, run.DeliveryId, ct);
            return outcome.Retryable is { } last ? new QueueVerdict.Dead(last) : Done;
        }
        catch (Exception exception) when (!ct.IsCancellationRequested)
        {
            // The boundary of a queued run. What a database that is away has kept from being written, or a lost lease from
            // being finished, is tried again for as long as it takes.
            var isOutage = exception is OperationCanceledException || Outage.Is(exception)
                || exception.InnerException is { } inner && Outage.Is(inner);
            LogFailed(exception, message.Id, message.Attempt);
            return isOutage ? new QueueVerdict.Again(Waits[0], exception.Message, IsCounted: false)
                : message.Attempt <= Waits.Length ? new QueueVerdict.Again(Waits[message.Attempt - 1], "internal error")
                : new QueueVerdict.Dead("internal error");
        }
    }

    private async Task<RunOutcome> OutcomeAsync(QueuedRun run, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var handler = scope.ServiceProvider.GetRequiredService<IRunHandler>();
        if (await handler.FindAnswerAsync(run, ct) is { } answer)
        {
            return new(answer);
        }
        if (time.GetUtcNow() - run.EnqueuedAt > TimeSpan.FromSeconds(options.Value.Queue.MaxAgeSeconds))
        {
            return new(new JsonObject { ["error"] = "The request waited too long to be run", ["success"] = false });
        }
        return await handler.RunAsync(run, ct);
    }

    [LoggerMessage(LogLevel.Error, "Queued run {Run} failed in attempt {Attempt}")]
    private partial void LogFailed(Exception exception, string run, int attempt);
}
