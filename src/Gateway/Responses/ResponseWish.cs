using System.Text;
using Stoa.Gateway.Bytes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Responses;

/// <summary>What a request for a response says about keeping it; read without taking the body apart.</summary>
internal readonly record struct ResponseWish(bool Store, bool Background, string? PreviousId)
{
    /// <exception cref="Failure">It refers to what is kept elsewhere, or its wishes do not go together.</exception>
    public static ResponseWish Read(ReadOnlySpan<byte> body, bool isStream)
    {
        var (store, background) = (true, false);
        string? previous = null;
        var members = new JsonMembers(body);
        while (members.Next())
        {
            var value = body[members.Current.Value];
            switch (Encoding.UTF8.GetString(body[members.Current.Name]))
            {
                case "store":
                    store = !value.SequenceEqual("false"u8);
                    break;
                case "background":
                    background = value.SequenceEqual("true"u8);
                    break;
                case "previous_response_id" when !value.SequenceEqual("null"u8):
                    previous = value[0] == '"' && value.Length <= 130
                        ? Encoding.UTF8.GetString(value[1..^1])
                        : throw Failure.Invalid(
                            "previous_response_id must be the id of a response", "previous_response_id", "invalid_type");
                    break;
                case "conversation" when !value.SequenceEqual("null"u8):
                    throw Failure.Invalid(
                        "Conversations are not kept here: go on from a response by previous_response_id",
                        "conversation", "unsupported_parameter");
            }
        }
        return background && (isStream || !store)
            ? throw Failure.Invalid(
                "A response in the background is kept and polled: it takes neither stream nor store: false",
                "background", "unsupported_parameter")
            : new(store, background, previous);
    }
}
