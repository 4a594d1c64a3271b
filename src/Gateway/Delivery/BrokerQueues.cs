using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;

namespace Stoa.Gateway.Delivery;

/// <summary>
/// The queues in RabbitMQ, all of them quorum queues: the main one, one for each wait of a retry, which gives back to the main one, and one
/// for dead letters. What a message dies of while no process survives it, the broker counts itself.
/// </summary>
internal sealed class BrokerQueues(IOptions<GatewayOptions> options, IHostEnvironment environment)
{
    /// <summary>Deliveries that end with neither an acknowledgement nor a word: the process died.</summary>
    private const int MostDeliveries = 20;

    public string Main { get; } = options.Value.Queue.Name is { Length: > 0 } name ? name
        // The original's spelling, which its operators have in their dashboards.
        : $"AI-MIDDLEARE-DEFAULT-{environment.EnvironmentName.ToUpperInvariant()}";

    public string Failed => $"{Main}-Failed";

    public string RetryAfter(TimeSpan wait) => string.Create(CultureInfo.InvariantCulture, $"{Main}-Retry-{(int)wait.TotalSeconds}s");

    /// <summary>Makes what is not there. Fails where a queue of the name has other arguments.</summary>
    public async Task DeclareAsync(IChannel channel, CancellationToken ct)
    {
        await DeclareAsync(channel, Failed, [], ct);
        await DeclareAsync(channel, Main, DyingInto(Failed, ("x-delivery-limit", MostDeliveries)), ct);
        foreach (var wait in QueuedRuns.Waits)
        {
            await DeclareAsync(channel, RetryAfter(wait), DyingInto(Main, ("x-message-ttl", (int)wait.TotalMilliseconds)), ct);
        }
    }

    private static Task<QueueDeclareOk> DeclareAsync(
        IChannel channel, string name, Dictionary<string, object?> arguments, CancellationToken ct)
    {
        arguments["x-queue-type"] = "quorum";
        return channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: ct);
    }

    /// <summary>
    /// The broker moves a message with confirms of its own, so that none is lost on the way; that needs the overflow named here.
    /// </summary>
    private static Dictionary<string, object?> DyingInto(string queue, (string Name, object Value) more) => new(StringComparer.Ordinal)
    {
        ["x-dead-letter-exchange"] = "",
        ["x-dead-letter-routing-key"] = queue,
        ["x-dead-letter-strategy"] = "at-least-once",
        ["x-overflow"] = "reject-publish",
        [more.Name] = more.Value,
    };
}
