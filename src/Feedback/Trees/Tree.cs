using Stoa.Feedback.Messages;

namespace Stoa.Feedback.Trees;

/// <summary>What decisions about a tree need to know of one of its messages.</summary>
internal sealed record TreeMessage(Guid Id, Guid? ParentId, Guid? UserId, MessageRole Role, string Lang, int Depth)
{
    public bool Deleted { get; set; }

    public bool? ReviewResult { get; set; }

    public int ReviewCount { get; set; }

    /// <summary>How many rankings placed it.</summary>
    public int RankingCount { get; set; }

    /// <summary>How many rankings its children have.</summary>
    public int Rankings { get; set; }

    public bool IsRoot => ParentId is null;

    public bool IsAccepted => !Deleted && ReviewResult == true;

    /// <summary>Not decided yet, and not given up.</summary>
    public bool IsUnderReview(int reviews) => !Deleted && ReviewResult != true && ReviewCount < reviews;

    /// <summary>Takes one of its parent's places for replies: a rejected one gives it back.</summary>
    public bool Counts(int reviews) => IsAccepted || IsUnderReview(reviews);
}

/// <summary>A tree as it stands in this transaction, whose row is locked.</summary>
internal sealed class Tree(TreeRow row, List<TreeMessage> messages)
{
    public TreeRow Row => row;

    public Guid Id => row.MessageTreeId;

    public List<TreeMessage> Messages => messages;

    /// <summary>Null only where the tree is broken.</summary>
    public TreeMessage? Root => messages.Find(message => message.IsRoot);

    public TreeMessage? Find(Guid id) => messages.Find(message => message.Id == id);

    public IEnumerable<TreeMessage> ChildrenOf(Guid id) => messages.Where(message => message.ParentId == id);

    /// <summary>The message itself and all that stands below it.</summary>
    public List<TreeMessage> Below(TreeMessage message)
    {
        List<TreeMessage> all = [message];
        for (var i = 0; i < all.Count; i++)
        {
            all.AddRange(ChildrenOf(all[i].Id));
        }
        return all;
    }

    /// <summary>
    /// Undeleted replies that are accepted or still may be, and the root if it is accepted: what the goal is compared with.
    /// </summary>
    public int Size(TreeManagerOptions options) =>
        messages.Count(message => message.IsRoot ? message.IsAccepted : message.Counts(options.NumReviewsReply));

    /// <summary>Parents of whose children an order is wanted, with these children.</summary>
    public IEnumerable<(TreeMessage Parent, List<TreeMessage> Children)> Rankable(TreeManagerOptions options) =>
        from child in messages
        where child is { IsAccepted: true, ParentId: not null } && (child.Role == MessageRole.Assistant || options.RankPrompterReplies)
        group child by (child.ParentId, child.Role) into siblings
        where siblings.Count() > 1
        let parent = Find(siblings.Key.ParentId!.Value)
        where parent is not null
        select (parent, siblings.ToList());
}
