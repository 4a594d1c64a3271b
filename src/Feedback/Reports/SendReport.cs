using System.Net.Http.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Jobs;
using Stoa.Platform.Notifications;

namespace Stoa.Feedback.Reports;

/// <summary>Tells the channel that a user reported a message.</summary>
internal sealed record SendReport(Guid MessageId, Guid UserId)
{
    public const string Kind = "feedback.send_report";
}

/// <summary>Makes the job in the transaction of the report, where a channel is set.</summary>
internal sealed class ReportChannel(JobQueue queue, IOptions<ReportOptions> options)
{
    public void Tell(FeedbackChange change, Guid messageId, Guid userId)
    {
        if (options.Value.IsConfigured)
        {
            change.Enqueue(queue.Make(new SendReport(messageId, userId)));
        }
    }
}

/// <summary><c>POST {url}/channels/{id}/messages</c>: a link, the message and the report, each cut to what Discord takes.</summary>
internal sealed class SendReportHandler(
    NpgsqlDataSource source, IHttpClientFactory clients, IOptions<ReportOptions> options, TimeProvider time) : IJobHandler<SendReport>
{
    public const string Client = "feedback.discord";

    private const int MessageColour = 0x3498DB, ReportColour = 0xE74C3C, MostOfMessage = 500, MostOfReport = 4_096;

    private const string Load = """
        select message.text, role, lang, coalesce((emojis ->> '+1')::int, 0), coalesce((emojis ->> '-1')::int, 0),
          coalesce((emojis ->> 'red_flag')::int, 0), text_labels.text
        from feedback.message join feedback.text_labels on text_labels.message_id = message.id
        where message.id = $1 and text_labels.user_id = $2 and text_labels.task_id is null
        """;

    public async Task RunAsync(SendReport job, JobContext context, CancellationToken ct)
    {
        var notes = await source.ListAsync(Statement.Of(Load, job.MessageId, job.UserId), row => Note(job, row), ct);
        if (notes is not [var note])
        {
            return;
        }
        using var request =
            new HttpRequestMessage(HttpMethod.Post, $"{options.Value.DiscordUrl}/channels/{options.Value.DiscordChannelId}/messages")
        {
            Content = JsonContent.Create(note, ReportJson.Default.DiscordNote),
        };
        request.Headers.TryAddWithoutValidation("Authorization", $"Bot {options.Value.DiscordApiKey}");
        using var http = clients.CreateClient(Client);
        await JobPost.SendAsync(http, request, "Discord", time, ct);
    }

    private DiscordNote Note(SendReport job, NpgsqlDataReader row)
    {
        var web = options.Value.WebUrl;
        return new(
            $"New report: {web}/admin/messages/{job.MessageId}",
            [
                new("Message", Cut(row.GetString(0), MostOfMessage), MessageColour)
                {
                    Footer = new(
                        $"Role: {row.GetString(1)}\t Lang: {row.GetString(2)}\t 👍{row.GetInt32(3)} 👎{row.GetInt32(4)} 🚩{row.GetInt32(5)}"),
                },
                new("Report", Cut(row.GetString(6), MostOfReport), ReportColour)
                {
                    Author = new($"{job.UserId}", $"{web}/admin/manage_user/{job.UserId}"),
                },
            ],
            // Nobody is called by what a stranger wrote.
            new([]));
    }

    private static string Cut(string text, int most) =>
        text.Length <= most ? text : char.IsHighSurrogate(text[most - 1]) ? text[..(most - 1)] : text[..most];

    internal sealed record DiscordNote(string Content, IReadOnlyList<Embed> Embeds, Mentions AllowedMentions);

    internal sealed record Embed(string Title, string Description, int Color)
    {
        public Footer? Footer { get; init; }
        public Author? Author { get; init; }
    }

    internal sealed record Footer(string Text);

    internal sealed record Author(string Name, string Url);

    internal sealed record Mentions(IReadOnlyList<string> Parse);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SendReport))]
[JsonSerializable(typeof(SendReportHandler.DiscordNote))]
internal sealed partial class ReportJson : JsonSerializerContext;
