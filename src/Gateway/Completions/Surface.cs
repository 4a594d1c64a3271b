using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>A model API as its clients meet it here: its dialect (to translate it, and to forward it as bytes), errors, limits.</summary>
/// <param name="Name">As usage records name it.</param>
/// <param name="Operation">As GenAI metrics name it (<c>chat</c>, <c>embeddings</c>).</param>
/// <param name="DialectOf">What a request is to be read and answered with: a client may ask for a version of the dialect.</param>
internal sealed record Surface(
    string Name, string Operation, Dialect Dialect, Func<HttpRequest, IClientDialect> DialectOf, IRawDialect Raw, ErrorDialect Errors,
    LimitHeaders Limits);
