using Microsoft.Extensions.Options;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Messages;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Wire;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Tasks;

/// <summary>A new text: a prompt with a tree of its own, or a reply.</summary>
internal sealed class TextReplies(TreeKeeper keeper, IOptions<FeedbackOptions> options)
{
    private TreeManagerOptions Rules => options.Value.TreeManager;

    public async Task AddAsync(
        FeedbackChange change, ApiClient client, TextReply reply, Guid userId, AnswerFacts facts, CancellationToken ct)
    {
        var task = Check(reply, userId, facts, change.Now);
        var role = RoleOf(task);
        var parent = Parent(task, userId, facts);
        var message = new TreeMessage(change.NewId(), parent?.Id, userId, role, reply.Lang, (parent?.Depth ?? -1) + 1)
        {
            Deleted = parent?.Deleted ?? false,
        };
        var hand = parent is null ? Root(message) : facts.RequireTree();
        if (parent is not null)
        {
            hand.Tree.Messages.Add(message);
        }
        Write(change, client, reply, task, message, hand.Tree.Id);
        if (parent is null)
        {
            WriteTree(change, hand.Tree.Row);
        }
        await keeper.SettleAsync(change, hand, client.Id, ct, parent is null ? null : new(parent.Id, userId));
    }

    private TaskRow Check(TextReply reply, Guid userId, AnswerFacts facts, DateTimeOffset now)
    {
        if (reply.MessageId.Length == 0 || reply.UserMessageId.Length == 0)
        {
            throw FeedbackCode.InvalidFrontendMessageId.Refusal("A message id is empty");
        }
        var task = facts.Task.RequireAnswerable(userId, now);
        // Characters as people count them: one outside the first plane is two in memory.
        if (reply.Text.Length > options.Value.MessageSizeLimit && reply.Text.EnumerateRunes().Count() > options.Value.MessageSizeLimit)
        {
            throw FeedbackCode.TaskMessageTooLong.Refusal($"The text has more than {options.Value.MessageSizeLimit} characters");
        }
        return facts.IsRepeated
            ? throw FeedbackCode.TaskMessageDuplicated.Refusal("The same text was written a short time ago")
            : task;
    }

    private static MessageRole RoleOf(TaskRow task) => task.Type switch
    {
        TaskType.InitialPrompt or TaskType.PrompterReply => MessageRole.Prompter,
        TaskType.AssistantReply => MessageRole.Assistant,
        _ => throw FeedbackCode.TaskUnexpectedPayloadType.Refusal("The task does not ask for a text"),
    };

    /// <summary>The message that is answered; null for a prompt.</summary>
    private TreeMessage? Parent(TaskRow task, Guid userId, AnswerFacts facts)
    {
        if (task.ParentMessageId is not { } parentId)
        {
            return null;
        }
        var tree = facts.RequireTree().Tree;
        if (!TreeRules.TakesMessages(tree.Row.State))
        {
            throw FeedbackCode.TreeInAbortedState.Refusal("The tree takes no more messages");
        }
        var parent = tree.Find(parentId) ?? throw FeedbackCode.MessageNotFound.Refusal("The message that was answered is gone");
        if (!options.Value.AllowDuplicateTasks && tree.ChildrenOf(parentId).Any(child => !child.Deleted && child.UserId == userId))
        {
            throw FeedbackCode.TaskMessageDuplicateReply.Refusal("The user has answered this message before");
        }
        // While it grows, the last place is given once; later ones are kept beside the tree's work.
        if (tree.Row.State == TreeState.Growing && !parent.Deleted
            && !Offers.HasRoom(tree, parent, Offers.CountedChildren(tree, parent, Rules), Rules))
        {
            throw FeedbackCode.TreeInAbortedState.Refusal("The message has all its replies");
        }
        return parent;
    }

    private TreeInHand Root(TreeMessage root)
    {
        var row = new TreeRow
        {
            MessageTreeId = root.Id,
            GoalTreeSize = GoalSize(Rules, Random.Shared),
            MaxDepth = Rules.MaxTreeDepth,
            MaxChildrenCount = Rules.MaxChildrenCount,
            State = TreeState.InitialPromptReview,
            Active = true,
            Lang = root.Lang,
        };
        return new(new(row, [root]), []);
    }

    /// <summary>Fixed, or by chance between the least and the goal, both inclusive.</summary>
    public static int GoalSize(TreeManagerOptions options, Random chance) =>
        options.RandomGoalTreeSize && options.MinGoalTreeSize < options.GoalTreeSize
            ? chance.Next(options.MinGoalTreeSize, options.GoalTreeSize + 1)
            : options.GoalTreeSize;

    private static readonly string Reply = $"""
        with counted as (
          update feedback.message set children_count = children_count + 1 where id = $2::uuid and not $13
        ), {Interactions.Ending(14)}
        insert into feedback.message (id, parent_id, message_tree_id, task_id, user_id, role, api_client_id,
          frontend_message_id, created_date,
          text, lang, depth, deleted, search_vector)
        values ($1, $2::uuid, $3, $4, $5, $6, $7, $8, $9, $10::text, $11::text, $12, $13, to_tsvector(feedback.words($11), $10))
        """;

    private static void Write(FeedbackChange change, ApiClient client, TextReply reply, TaskRow task, TreeMessage message, Guid treeId)
    {
        var (role, userId) = (EnumNames<MessageRole>.Write(message.Role), message.UserId!.Value);
        var happened = Interactions.Event("text_reply_to_message", userId, message.Id, task);
        happened["length"] = reply.Text.Length;
        happened["role"] = role;
        change.Write(Reply, [
            message.Id, message.ParentId, treeId, task.Id, userId, role, client.Id, reply.UserMessageId, change.Now, reply.Text, reply.Lang,
            message.Depth, message.Deleted, .. Interactions.Ended(change, task, userId, client.Id, message.Id, treeId, happened),
        ]);
    }

    private static void WriteTree(FeedbackChange change, TreeRow tree)
    {
        change.Write(
            """
            insert into feedback.message_tree_state (message_tree_id, goal_tree_size, max_depth, max_children_count, state, active, lang)
            values ($1, $2, $3, $4, $5, $6, $7)
            """,
            tree.MessageTreeId, tree.GoalTreeSize, tree.MaxDepth, tree.MaxChildrenCount,
            EnumNames<TreeState>.Write(tree.State), tree.Active, tree.Lang);
    }
}
