using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Stoa.Feedback.Datasets;

/// <summary>
/// Ids as the original's anonymizer writes them: the SHA-256 of <c>collection:id</c> and the seed, in hexadecimal digits. Without a seed (0
/// counts as none) ids stay as they are.
/// </summary>
internal sealed class Pseudonyms(int seed)
{
    public static readonly Pseudonyms None = new(0);

    /// <summary>The tree's own id as well, since it is its root's; the original leaves it in clear.</summary>
    public string Message(string id) => Of("message", id);

    public string User(string id) => Of("user", id);

    public OasstTree Apply(OasstTree tree) => seed == 0 ? tree : tree with
    {
        MessageTreeId = Message(tree.MessageTreeId), Prompt = Apply(tree.Prompt),
    };

    public OasstMessage Apply(OasstMessage message) => seed == 0 ? message : message with
    {
        MessageId = Message(message.MessageId),
        ParentId = message.ParentId is { } parent ? Message(parent) : null,
        UserId = message.UserId is { } user ? User(user) : null,
        MessageTreeId = message.MessageTreeId is { } tree ? Message(tree) : null,
        Replies = message.Replies?.Select(Apply).ToList(),
        Events = message.Events is { } events
            ? new(events.Emoji?.Select(Apply).ToList(), events.Rating?.Select(Apply).ToList(), events.Ranking?.Select(Apply).ToList())
            : null,
    };

    private OasstEvent Apply(OasstEvent one) => one with
    {
        UserId = one.UserId is { } user ? User(user) : null,
        RankedMessageIds = one.RankedMessageIds?.Select(Message).ToList(),
        RankingParentId = one.RankingParentId is { } parent ? Message(parent) : null,
        MessageTreeId = one.MessageTreeId is { } tree ? Message(tree) : null,
    };

    private string Of(string collection, string id) => seed == 0
        ? id
        : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{collection}:{id}{seed}"))));
}
