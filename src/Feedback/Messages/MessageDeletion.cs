using Stoa.Feedback.Trees;

namespace Stoa.Feedback.Messages;

/// <summary>Takes messages out of their trees, and back in. Rows stay.</summary>
internal static class MessageDeletion
{
    /// <summary>The message and all below it. The tree is settled by the caller.</summary>
    public static void Delete(FeedbackChange change, Tree tree, TreeMessage message, Guid clientId)
    {
        var gone = tree.Below(message).Where(below => !below.Deleted).ToList();
        if (gone.Count == 0)
        {
            return;
        }
        gone.ForEach(below => below.Deleted = true);
        change.Write("update feedback.message set deleted = true where id = any($1)", gone.Select(below => below.Id).ToArray());
        Count(change, tree, [.. gone.Select(below => below.ParentId).Append(message.ParentId).OfType<Guid>().Distinct()]);
        change.Note("delete_message", clientId, userId: null, message.Id, tree.Id,
            new() { ["type"] = "delete_message", ["message_id"] = message.Id });
    }

    /// <summary>The message and all above it, not what is below.</summary>
    public static void Restore(FeedbackChange change, Tree tree, TreeMessage message, Guid clientId)
    {
        List<TreeMessage> back = [];
        for (var above = message; above is not null; above = above.ParentId is { } parent ? tree.Find(parent) : null)
        {
            if (above.Deleted)
            {
                above.Deleted = false;
                back.Add(above);
            }
        }
        if (back.Count == 0)
        {
            return;
        }
        change.Write("update feedback.message set deleted = false where id = any($1)", back.Select(above => above.Id).ToArray());
        Count(change, tree, [.. back.Select(above => above.ParentId).OfType<Guid>()]);
        change.Note("undelete_message", clientId, userId: null, message.Id, tree.Id,
            new() { ["type"] = "undelete_message", ["message_id"] = message.Id });
    }

    private static void Count(FeedbackChange change, Tree tree, Guid[] parents)
    {
        foreach (var parent in parents)
        {
            change.Write("update feedback.message set children_count = $2 where id = $1",
                parent, tree.ChildrenOf(parent).Count(child => !child.Deleted));
        }
    }
}
