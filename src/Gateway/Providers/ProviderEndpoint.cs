using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Providers;

/// <summary>
/// Which of a provider's endpoints answers: the one of the client's own dialect where there is one, unless the client says otherwise.
/// </summary>
internal static class ProviderEndpoint
{
    public const string Header = "x-gtwy-wire";

    private static readonly (string Name, Dialect Dialect)[] Names =
    [
        ("openai_chat", Dialect.OpenAi), ("openai_responses", Dialect.OpenAiResponses),
        ("anthropic", Dialect.Anthropic), ("gemini", Dialect.Gemini),
    ];

    /// <summary>Null for a provider that answers in this process.</summary>
    /// <exception cref="Failure">The client asks for a dialect that the provider does not speak.</exception>
    public static Dialect? Of(Provider provider, Dialect client, HttpRequest request)
    {
        if (request.Headers[Header] is [{ Length: > 0 } wanted] && provider.Client is not null)
        {
            var named = Array.Find(Names, entry => entry.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase));
            return named.Name is not null && Speaks(provider, named.Dialect)
                ? named.Dialect
                : throw Failure.Invalid($"The provider {provider.Name} does not speak what {Header} asks for", Header, "unsupported_wire");
        }
        return client == Dialect.OpenAiResponses && Speaks(provider, client) ? client : provider.Kind.Dialect;
    }

    private static bool Speaks(Provider provider, Dialect dialect) =>
        provider.Kind.Dialect == dialect || (dialect == Dialect.OpenAiResponses && provider.HasResponses);
}
