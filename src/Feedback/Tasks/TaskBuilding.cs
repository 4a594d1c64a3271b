using Stoa.Feedback.Messages;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Tasks;

/// <summary>What of a task is kept for its answer.</summary>
internal sealed record TaskTerms(string Type, Guid? TreeId, Guid? MessageId)
{
    public string? Mode { get; init; }

    public string[]? ValidLabels { get; init; }

    public string[]? MandatoryLabels { get; init; }

    public Guid[]? RankedIds { get; init; }
}

/// <summary>Makes a task of an offer. Pure but for the chance that is handed in.</summary>
internal static class TaskBuilding
{
    public static (WireTask Task, TaskTerms Terms) Build(Guid id, Picked picked, string requested, TreeManagerOptions options, Random chance)
    {
        var terms = new TaskTerms(picked.Type, picked.TreeId, picked.MessageId);
        var conversation = MessageRows.Conversation(picked.Conversation);
        return picked.Type switch
        {
            TaskType.AssistantReply => (new AssistantReplyTask(id, conversation), terms),
            TaskType.PrompterReply => (new PrompterReplyTask(id, conversation), terms),
            TaskType.RankAssistantReplies or TaskType.RankPrompterReplies => Ranking(id, picked, conversation, terms, chance),
            _ => Labelling(id, picked, conversation, terms, requested, options, chance),
        };
    }

    private static (WireTask Task, TaskTerms Terms) Ranking(Guid id, Picked picked, Conversation conversation, TaskTerms terms, Random chance)
    {
        var replies = picked.Replies.ToArray();
        chance.Shuffle(replies);
        // Who sees that one is written by a machine would rank it as such.
        var reveals = Array.TrueForAll(replies, reply => reply.Synthetic == true);
        return (
            new RankRepliesTask(
                id, picked.Type, conversation, [.. replies.Select(reply => reply.Text)],
                [.. replies.Select(reply => reply.Part() with { Synthetic = reveals ? reply.Synthetic : null })],
                picked.TreeId, picked.MessageId, reveals),
            terms with { RankedIds = [.. replies.Select(reply => reply.Id!.Value)] });
    }

    private static (WireTask Task, TaskTerms Terms) Labelling(
        Guid id, Picked picked, Conversation conversation, TaskTerms terms, string requested, TreeManagerOptions options, Random chance)
    {
        var (labels, mandatory, full) = picked.Type switch
        {
            TaskType.LabelInitialPrompt => (options.LabelsInitialPrompt, options.MandatoryLabelsInitialPrompt, options.PFullLabelingReviewPrompt),
            TaskType.LabelAssistantReply =>
                (options.LabelsAssistantReply, options.MandatoryLabelsAssistantReply, options.PFullLabelingReviewReplyAssistant),
            _ => (options.LabelsPrompterReply, options.MandatoryLabelsPrompterReply, options.PFullLabelingReviewReplyPrompter),
        };
        string[] needed = mandatory.Count > 0 ? [.. mandatory] : [Label.Spam];
        var isPrompt = picked.Type == TaskType.LabelInitialPrompt;
        var isSimple = (isPrompt || requested == TaskType.Random) && chance.NextDouble() >= full;
        var valid = isSimple ? [.. needed.Union([Label.LangMismatch]).Union(isPrompt ? [] : [Label.Quality])]
            : labels.Count > 0 ? [.. labels]
            : picked.Type == TaskType.LabelAssistantReply ? Label.OfAssistant : Label.OfPrompter;
        var (mode, disposition) = isSimple ? ("simple", "spam") : ("full", "quality");
        var text = picked.Conversation[^1].Text;
        WireTask task = isPrompt
            ? new LabelPromptTask(id, picked.MessageId, valid, needed, mode, disposition, Label.Describe(valid), conversation, text)
            : new LabelReplyTask(id, picked.Type, picked.MessageId, valid, needed, mode, disposition, Label.Describe(valid), conversation, text);
        return (task, terms with { Mode = mode, ValidLabels = valid, MandatoryLabels = needed });
    }
}
