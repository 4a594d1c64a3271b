using Stoa.Feedback.Trees;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Tasks;

/// <summary>One thing to look for among the offers.</summary>
/// <param name="Work">Null for a new prompt, which needs no offer.</param>
/// <param name="Type">Null where any type of this work will do.</param>
/// <param name="LonelyOnly">Only where a reply would keep a lonely one company.</param>
internal sealed record Wish(OfferWork? Work, string? Type = null, bool LonelyOnly = false);

/// <summary>In which order a request looks for something to do. Pure but for the chance that is handed in.</summary>
internal static class TaskDraw
{
    private static readonly (OfferWork? Work, double Weight)[] Classes =
    [
        (OfferWork.Ranking, 10), (OfferWork.LabelReply, 5), (OfferWork.LabelPrompt, 5), (OfferWork.Reply, 2), (null, 0.01),
    ];

    /// <summary>
    /// What is asked for, in turn. For a random task the classes are drawn by weight, one after the other: that the first which has
    /// something is taken comes to the same as to give a class that has nothing no weight.
    /// </summary>
    public static IEnumerable<Wish> Wishes(string type, TreeManagerOptions options, Random chance) => type switch
    {
        TaskType.Random => Classes
            .OrderByDescending(choice => Math.Pow(chance.NextDouble(), 1 / choice.Weight))
            .SelectMany(choice => Wishes(choice.Work, null, options, chance)),
        TaskType.InitialPrompt => [new(null)],
        TaskType.AssistantReply or TaskType.PrompterReply => Wishes(OfferWork.Reply, type, options, chance),
        TaskType.LabelInitialPrompt => [new(OfferWork.LabelPrompt, type)],
        TaskType.LabelAssistantReply or TaskType.LabelPrompterReply => [new(OfferWork.LabelReply, type)],
        TaskType.RankAssistantReplies or TaskType.RankPrompterReplies => [new(OfferWork.Ranking, type)],
        _ => [],
    };

    private static IEnumerable<Wish> Wishes(OfferWork? work, string? type, TreeManagerOptions options, Random chance)
    {
        if (work == OfferWork.Reply && type != TaskType.PrompterReply && options.LonelyChildrenCount > 1
            && chance.NextDouble() < options.PLonelyChildExtension)
        {
            yield return new(work, type, LonelyOnly: true);
        }
        yield return new(work, type);
    }
}
