using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Data;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Webhooks;

/// <summary>Where a delivery stands. Also one that failed for good can be sent again by hand.</summary>
[JsonConverter(typeof(SnakeCaseEnum<WebhookState>))]
internal enum WebhookState
{
    Pending,
    Delivered,
    Failed,
}

/// <summary>One attempt: the receiver's status and the beginning of what it answered, or why there is none.</summary>
internal sealed record WebhookAttempt(DateTimeOffset At, int? Status, string? Error, string? Reply, int DurationMs);

/// <summary>A row of the delivery log.</summary>
internal sealed class WebhookDelivery
{
    /// <summary>Attempts by hand come on top of the planned ones; the oldest are forgotten.</summary>
    private const int MostAttempts = 20;

    public required Guid Id { get; init; }

    public required Guid OrganizationId { get; init; }

    public required string WebhookId { get; init; }

    public required string Kind { get; init; }

    public required string Url { get; init; }

    /// <summary>Sealed.</summary>
    public byte[]? Headers { get; init; }

    public string? HeaderPrefix { get; init; }

    public required string Body { get; init; }

    public WebhookState State { get; set; }

    public int AttemptCount { get; private set; }

    public List<WebhookAttempt> Attempts { get; private set; } = [];

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public DateTimeOffset? NextAttemptAt { get; set; }

    public void Note(WebhookAttempt attempt)
    {
        AttemptCount++;
        Attempts = [.. Attempts.Append(attempt).TakeLast(MostAttempts)];
        UpdatedAt = attempt.At;
    }
}

internal sealed class WebhookDb(DbContextOptions<WebhookDb> options) : ModuleDb(options, "platform")
{
    public DbSet<WebhookDelivery> Deliveries => Set<WebhookDelivery>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<WebhookDelivery>().ToTable("webhook_deliveries");
        modelBuilder.Entity<WebhookDelivery>().Property(delivery => delivery.Attempts).IsDocument(WebhookJson.Default.ListWebhookAttempt);
    }
}
