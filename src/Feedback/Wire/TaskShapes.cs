
namespace Stoa.Feedback.Wire;

/// <summary>A task as it is handed out. Serialized as what it is, so that each type has its own members.</summary>
internal abstract record WireTask(Guid Id, string Type);

internal sealed record TaskDone(Guid Id) : WireTask(Id, "task_done");

/// <param name="Hint">Always null.</param>
internal sealed record InitialPromptTask(Guid Id, string? Hint = null) : WireTask(Id, TaskType.InitialPrompt);

internal sealed record PrompterReplyTask(Guid Id, Conversation Conversation, string? Hint = null) : WireTask(Id, TaskType.PrompterReply);

internal sealed record AssistantReplyTask(Guid Id, Conversation Conversation) : WireTask(Id, TaskType.AssistantReply);

/// <param name="ReplyMessages">In the order of <paramref name="Replies"/>; an answer names them by their indexes.</param>
internal sealed record RankRepliesTask(
    Guid Id, string Type, Conversation Conversation, IReadOnlyList<string> Replies, IReadOnlyList<ConversationMessage> ReplyMessages,
    Guid MessageTreeId, Guid RankingParentId, bool RevealSynthetic) : WireTask(Id, Type);

internal abstract record LabelTask(
    Guid Id, string Type, Guid MessageId, IReadOnlyList<string> ValidLabels, IReadOnlyList<string>? MandatoryLabels, string? Mode,
    string? Disposition, IReadOnlyList<LabelDescription>? Labels, Conversation Conversation) : WireTask(Id, Type);

internal sealed record LabelPromptTask(
    Guid Id, Guid MessageId, IReadOnlyList<string> ValidLabels, IReadOnlyList<string>? MandatoryLabels, string? Mode,
    string? Disposition, IReadOnlyList<LabelDescription>? Labels, Conversation Conversation, string? Prompt)
    : LabelTask(Id, TaskType.LabelInitialPrompt, MessageId, ValidLabels, MandatoryLabels, Mode, Disposition, Labels, Conversation);

internal sealed record LabelReplyTask(
    Guid Id, string Type, Guid MessageId, IReadOnlyList<string> ValidLabels, IReadOnlyList<string>? MandatoryLabels, string? Mode,
    string? Disposition, IReadOnlyList<LabelDescription>? Labels, Conversation Conversation, string? Reply)
    : LabelTask(Id, Type, MessageId, ValidLabels, MandatoryLabels, Mode, Disposition, Labels, Conversation);

/// <param name="Widget"><c>yes_no</c>, <c>flag</c> or <c>likert</c>.</param>
internal sealed record LabelDescription(string Name, string Widget, string DisplayText, string? HelpText);

internal sealed record ValidLabelsResponse(IReadOnlyList<LabelDescription> ValidLabels);

internal sealed record TaskRequest(string Type, User? User, bool Collective, string Lang)
{
    public static TaskRequest Read(WireBody body) => new(
        body.EnumMember("type", TaskType.Requests, TaskType.Random),
        User.ReadOptionalMember(body), body.Flag("collective", otherwise: false),
        body.OptionalText("lang", Language.Longest) is { Length: > 0 } lang ? lang : Language.Default);
}

internal sealed record TaskAck(string MessageId)
{
    public static TaskAck Read(WireBody body) => new(body.Text("message_id", Longest));

    public const int Longest = 200;
}

internal sealed record TaskNAck(string? Reason)
{
    // The original cuts nothing off, and fails on more than its column takes.
    public static TaskNAck Read(WireBody body) => new(body.OptionalText("reason", most: 512));
}

internal sealed record TaskClose(string MessageId)
{
    public static TaskClose Read(WireBody body) => new(body.Text("message_id", TaskAck.Longest));
}

internal static class Language
{
    public const string Default = "en";
    public const int Longest = 32;
}

internal sealed record MessageEmojiRequest(User User, string Op, string Emoji)
{
    public static readonly string[] Ops = ["toggle", "add", "remove"];

    public static MessageEmojiRequest Read(WireBody body) =>
        new(User.ReadMember(body), body.EnumMember("op", Ops, "toggle"), body.EnumMember("emoji", EmojiCode.All));
}

internal sealed record MessageEditRequest(User User, string NewContent)
{
    public static MessageEditRequest Read(WireBody body) => new(User.ReadMember(body), body.Text("new_content"));
}

internal static class EmojiCode
{
    public const string ThumbsUp = "+1", ThumbsDown = "-1", RedFlag = "red_flag";
    public const string SkipReply = "_skip_reply", SkipRanking = "_skip_ranking", SkipLabeling = "_skip_labeling";

    public static readonly string[] All =
    [
        ThumbsUp, ThumbsDown, RedFlag, "100", "rofl", "clap", "diamond", "heart_eyes", "disappointed", "poop", "skull",
        SkipReply, SkipRanking, SkipLabeling,
    ];
}

internal static class TaskType
{
    public const string Random = "random";
    public const string InitialPrompt = "initial_prompt", PrompterReply = "prompter_reply", AssistantReply = "assistant_reply";
    public const string RankPrompterReplies = "rank_prompter_replies", RankAssistantReplies = "rank_assistant_replies";
    public const string LabelInitialPrompt = "label_initial_prompt", LabelPrompterReply = "label_prompter_reply";
    public const string LabelAssistantReply = "label_assistant_reply";

    /// <summary>What may be asked for, in the wire's order. Of some there is never any.</summary>
    public static readonly string[] Requests =
    [
        Random, "summarize_story", "rate_summary", InitialPrompt, PrompterReply,
        AssistantReply, "rank_initial_prompts", RankPrompterReplies,
        RankAssistantReplies, LabelInitialPrompt, LabelAssistantReply, LabelPrompterReply,
    ];
}
