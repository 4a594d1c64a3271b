using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Stoa.Feedback.Wire;

/// <summary>An answer to a task: one of four shapes, tried in this order.</summary>
internal abstract record Interaction(User User)
{
    public static readonly Func<WireBody, Interaction>[] Shapes =
        [TextReply.Read, MessageRating.Read, MessageRanking.Read, TextLabels.Read];

    public static async ValueTask<Interaction> ReadAsync(HttpContext context)
    {
        using var document = await WireBody.ParseAsync(context);
        return WireBody.Read(document, Read);
    }

    // A body that fits none is told what each of the four misses.
    private static Interaction Read(WireBody body)
    {
        var all = new WireErrors();
        Interaction? last = null;
        foreach (var shape in Shapes)
        {
            var own = new WireErrors();
            last = shape(body.With(own));
            if (own.IsEmpty)
            {
                return last;
            }
            all.AddAll(own);
        }
        body.Errors.AddAll(all);
        return last!;
    }
}

/// <param name="MessageId">With which the task was acknowledged.</param>
/// <param name="UserMessageId">The client's own id of the new message.</param>
internal sealed record TextReply(User User, string MessageId, string UserMessageId, string Text, string Lang) : Interaction(User)
{
    public static TextReply Read(WireBody body)
    {
        body.Constant("type", "text_reply_to_message");
        return new(User.ReadMember(body), body.Text("message_id", TaskAck.Longest), body.Text("user_message_id", TaskAck.Longest),
            body.TrimmedText("text"), body.OptionalText("lang", Language.Longest) is { Length: > 0 } lang ? lang : Language.Default);
    }
}

internal sealed record MessageRating(User User, string MessageId, int Rating) : Interaction(User)
{
    public static MessageRating Read(WireBody body)
    {
        body.Constant("type", "message_rating");
        var rating = new MessageRating(User.ReadMember(body), body.Text("message_id", TaskAck.Longest), body.Integer("rating"));
        if (rating.Rating <= 0 && body.Sent("rating") is not null)
        {
            body.Errors.Add(WirePlace.Body.In("rating"), "value_error.number.not_gt",
                "ensure this value is greater than 0", new() { ["limit_value"] = 0 });
        }
        return rating;
    }
}

/// <param name="Ranking">Best first; indexes into the task's <c>reply_messages</c>.</param>
internal sealed record MessageRanking(User User, string MessageId, IReadOnlyList<int> Ranking, bool? NotRankable) : Interaction(User)
{
    public static MessageRanking Read(WireBody body)
    {
        body.Constant("type", "message_ranking");
        var ranking = new MessageRanking(
            User.ReadMember(body), body.Text("message_id", TaskAck.Longest), body.Integers("ranking"), body.OptionalFlag("not_rankable"));
        if (ranking.Ranking.Count == 0 && body.Sent("ranking") is { ValueKind: JsonValueKind.Array } sent && sent.GetArrayLength() == 0)
        {
            body.Errors.Add(WirePlace.Body.In("ranking"), "value_error.list.min_items", "ensure this value has at least 1 items",
                new() { ["limit_value"] = 1 });
        }
        return ranking;
    }
}

/// <param name="Labels">Name of the label: 0 to 1.</param>
/// <param name="TaskId">Absent for labels that nobody asked for, and for reports.</param>
internal sealed record TextLabels(
    User User, string Text, IReadOnlyDictionary<string, double> Labels, Guid MessageId, Guid? TaskId, bool IsReport) : Interaction(User)
{
    public static TextLabels Read(WireBody body)
    {
        body.Constant("type", "text_labels");
        var labels = new TextLabels(
            User.ReadMember(body), body.Text("text", most: 65_536), body.Numbers("labels", Label.Names), body.Id("message_id"),
            body.OptionalId("task_id"), body.Flag("is_report", otherwise: false));
        foreach (var (label, value) in labels.Labels.Where(label => label.Value is < 0 or > 1))
        {
            body.Errors.Add(WirePlace.Body.In("labels"), "value_error", $"Label values must be between 0 and 1, got {value} for {label}.");
            break;
        }
        return labels;
    }
}
