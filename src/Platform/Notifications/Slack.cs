using System.Net.Http.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Stoa.Platform.Jobs;

namespace Stoa.Platform.Notifications;

public enum SlackChannel
{
    UserSignup,
    CourseCreated,
    UsageStats,
    Alert,
}

/// <summary>
/// Tells a channel of the operators' Slack something: <c>POST {webhook}</c> with <c>{"text"}</c>. Called by jobs, so that nobody waits for
/// Slack, and what was committed is told also after a crash.
/// </summary>
public sealed class Slack(IHttpClientFactory clients, IOptions<NotificationOptions> options, TimeProvider time)
{
    internal const string Client = "notifications.slack";

    /// <summary>Whether somebody listens; a job need not be made otherwise.</summary>
    public bool Has(SlackChannel channel) => WebhookOf(channel) is not null;

    /// <summary>Does nothing where nobody listens.</summary>
    /// <exception cref="JobFailure">It was not taken; says what becomes of the job.</exception>
    public async Task PostAsync(SlackChannel channel, string text, CancellationToken ct)
    {
        if (WebhookOf(channel) is not { } webhook)
        {
            return;
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, webhook)
        {
            Content = JsonContent.Create(new SlackNote(text), NotificationJson.Default.SlackNote),
        };
        using var http = clients.CreateClient(Client);
        await JobPost.SendAsync(http, request, "Slack", time, ct);
    }

    /// <summary>
    /// What somebody has written, as a part of one line of a message: it calls nobody (<c>&lt;!channel&gt;</c>), links nowhere and begins
    /// no line of its own.
    /// </summary>
    public static string Plain(string text) => text.ReplaceLineEndings(" ").Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);

    private string? WebhookOf(SlackChannel channel) => channel switch
    {
        SlackChannel.UserSignup => options.Value.Slack.UserSignupWebhook,
        SlackChannel.CourseCreated => options.Value.Slack.CourseCreatedWebhook,
        SlackChannel.UsageStats => options.Value.Slack.UsageStatsWebhook,
        SlackChannel.Alert => options.Value.Slack.AlertWebhook,
    } is { Length: > 0 } webhook ? webhook : null;
}

internal sealed record SlackNote(string Text);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SlackNote))]
[JsonSerializable(typeof(ReportError))]
[JsonSerializable(typeof(BugsnagNotice))]
[JsonSerializable(typeof(CheckDisk))]
internal sealed partial class NotificationJson : JsonSerializerContext;
