using Stoa.Feedback.Messages;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Tasks;

/// <summary>What a review asks.</summary>
/// <param name="Mode"><c>simple</c> or <c>full</c>.</param>
internal sealed record ReviewTerms(string Mode, string[] Valid, string[] Mandatory);

/// <summary>Makes a task of an offer. Pure but for the chance that is handed in.</summary>
internal static class TaskBuilding
{
    private static readonly string[] Reviewing = [TaskType.LabelInitialPrompt, TaskType.LabelAssistantReply, TaskType.LabelPrompterReply];

    /// <summary>Of each type of review, what one would ask: drawn before it is known which it will be, if any.</summary>
    public static Dictionary<string, ReviewTerms> Reviews(string requested, TreeManagerOptions options, Random chance) =>
        Reviewing.ToDictionary(type => type, type => Review(type, requested, options, chance), StringComparer.Ordinal);

    public static WireTask Build(TaskDraft draft, Picked picked)
    {
        var conversation = MessageRows.Conversation(picked.Conversation);
        return picked.Type switch
        {
            TaskType.InitialPrompt => new InitialPromptTask(draft.Id),
            TaskType.AssistantReply => new AssistantReplyTask(draft.Id, conversation),
            TaskType.PrompterReply => new PrompterReplyTask(draft.Id, conversation),
            TaskType.RankAssistantReplies or TaskType.RankPrompterReplies => Ranking(draft.Id, picked, conversation),
            _ => Labelling(draft.Id, picked, conversation, draft.Reviews[picked.Type]),
        };
    }

    private static RankRepliesTask Ranking(Guid id, Picked picked, Conversation conversation)
    {
        // Who sees that one is written by a machine would rank it as such.
        var reveals = picked.Replies.All(reply => reply.Synthetic == true);
        return new(
            id, picked.Type, conversation, [.. picked.Replies.Select(reply => reply.Text)],
            [.. picked.Replies.Select(reply => reply.Part() with { Synthetic = reveals ? reply.Synthetic : null })],
            picked.TreeId!.Value, picked.MessageId!.Value, reveals);
    }

    private static WireTask Labelling(Guid id, Picked picked, Conversation conversation, ReviewTerms terms)
    {
        var (mode, valid, needed) = terms;
        var (messageId, text, disposition) = (picked.MessageId!.Value, picked.Conversation[^1].Text, mode == "simple" ? "spam" : "quality");
        return picked.Type == TaskType.LabelInitialPrompt
            ? new LabelPromptTask(id, messageId, valid, needed, mode, disposition, Label.Describe(valid), conversation, text)
            : new LabelReplyTask(id, picked.Type, messageId, valid, needed, mode, disposition, Label.Describe(valid), conversation, text);
    }

    private static ReviewTerms Review(string type, string requested, TreeManagerOptions options, Random chance)
    {
        var (labels, mandatory, full) = type switch
        {
            TaskType.LabelInitialPrompt =>
                (options.LabelsInitialPrompt, options.MandatoryLabelsInitialPrompt, options.PFullLabelingReviewPrompt),
            TaskType.LabelAssistantReply =>
                (options.LabelsAssistantReply, options.MandatoryLabelsAssistantReply, options.PFullLabelingReviewReplyAssistant),
            _ => (options.LabelsPrompterReply, options.MandatoryLabelsPrompterReply, options.PFullLabelingReviewReplyPrompter),
        };
        string[] needed = mandatory.Count > 0 ? [.. mandatory] : [Label.Spam];
        var isPrompt = type == TaskType.LabelInitialPrompt;
        var isSimple = (isPrompt || requested == TaskType.Random) && chance.NextDouble() >= full;
        var valid = isSimple ? [.. needed.Union([Label.LangMismatch]).Union(isPrompt ? [] : [Label.Quality])]
            : labels.Count > 0 ? [.. labels]
            : type == TaskType.LabelAssistantReply ? Label.OfAssistant : Label.OfPrompter;
        return new(isSimple ? "simple" : "full", valid, needed);
    }
}
