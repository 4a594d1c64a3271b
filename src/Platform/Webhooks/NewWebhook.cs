namespace Stoa.Platform.Webhooks;

/// <summary>Something to tell a receiver that an organization has named: a POST of a JSON body.</summary>
public sealed record NewWebhook
{
    public required Guid OrganizationId { get; init; }

    /// <summary>What the receiver knows it by. A second one with the same id in the organization is not sent.</summary>
    public required string WebhookId { get; init; }

    /// <summary>What it tells, for the delivery log: <c>gateway.answer</c>.</summary>
    public required string Kind { get; init; }

    public required string Url { get; init; }

    /// <summary>The receiver's own headers; they may hold credentials. Those that belong to the transport or to us are left out.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    public required string Body { get; init; }

    /// <summary>With <c>x-gtwy</c> it also carries <c>x-gtwy-delivery</c>, <c>x-gtwy-attempt</c> and <c>x-gtwy-signature</c>.</summary>
    public string? HeaderPrefix { get; init; }
}
