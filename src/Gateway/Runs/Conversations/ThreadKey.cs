using System.Text;
using Npgsql;

namespace Stoa.Gateway.Runs.Conversations;

/// <summary>A conversation: an organization, its agent, and the two names that the caller chose.</summary>
internal sealed record ThreadKey(Guid OrganizationId, string AgentId, string ThreadId, string SubThreadId)
{
    /// <summary>
    /// Of each of the two names, as UTF-8: an entry of an index, which holds both, has to be smaller than a third of a page.
    /// </summary>
    public const int MaxBytes = 1_024;

    public static bool IsName(string text) =>
        text.Length <= MaxBytes && StoredText.Clean(text) == text && Encoding.UTF8.GetByteCount(text) <= MaxBytes;

    /// <summary>Any, but the same for all who write rows of several conversations.</summary>
    public static readonly IComparer<ThreadKey> Order = Comparer<ThreadKey>.Create((one, other) =>
    {
        var order = one.OrganizationId.CompareTo(other.OrganizationId);
        order = order != 0 ? order : string.CompareOrdinal(one.AgentId, other.AgentId);
        order = order != 0 ? order : string.CompareOrdinal(one.ThreadId, other.ThreadId);
        return order != 0 ? order : string.CompareOrdinal(one.SubThreadId, other.SubThreadId);
    });

    /// <summary>As <c>$1</c> to <c>$4</c> of a statement.</summary>
    public NpgsqlBatchCommand Command(string sql) => new(sql)
    {
        Parameters =
            { new() { Value = OrganizationId }, new() { Value = AgentId }, new() { Value = ThreadId }, new() { Value = SubThreadId } },
    };

    /// <summary>Those of several as arrays, <c>$1</c> to <c>$4</c> of a statement.</summary>
    public static NpgsqlBatchCommand Command(string sql, IReadOnlyCollection<ThreadKey> threads) => new(sql)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid[]> { TypedValue = [.. threads.Select(thread => thread.OrganizationId)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. threads.Select(thread => thread.AgentId)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. threads.Select(thread => thread.ThreadId)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. threads.Select(thread => thread.SubThreadId)] },
        },
    };
}

/// <summary>What is kept of a conversation.</summary>
/// <param name="Exchanges">The newest, oldest of them first.</param>
/// <param name="Summary">Stands for what came before the run <paramref name="SummarizedTo"/> and for that run.</param>
/// <param name="StickyAgentId">The agent that has taken over from the one that is asked.</param>
internal sealed record ThreadPast(
    IReadOnlyList<PastExchange> Exchanges, string? DisplayName, string? Memory, string? Summary, Guid? SummarizedTo, string? StickyAgentId)
{
    public static readonly ThreadPast None = new([], null, null, null, null, null);

    /// <summary>What was uploaded for it, newest first; also what has expired since the last tidying.</summary>
    public IReadOnlyList<ThreadFile> Files { get; init; } = [];
}

/// <param name="ToolRounds"><c>tools_call_data</c> as JSON; null where no tool was called.</param>
/// <param name="Attachments"><c>user_urls</c> as JSON; null where there were none, or a week ago.</param>
internal sealed record PastExchange(Guid Id, string User, string Answer, string? ToolRounds, string? Attachments = null);
