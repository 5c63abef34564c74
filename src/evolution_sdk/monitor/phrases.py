"""Portuguese of the monitor's words, by the English of their sources; ``{}`` stands for a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["LABELS", "PHRASES", "UNITS"]

UNITS: Final[Mapping[str, str]] = {
    "milliseconds": "milissegundos",
    "share": "fração",
    "messages/second": "mensagens/segundo",
    "requests": "requisições",
    "calls": "chamadas",
    "instances": "instâncias",
    "messages": "mensagens",
    "seconds": "segundos",
    "bytes": "bytes",
    "percent": "por cento",
    "healthy": "saudável",
    "degraded": "degradada",
    "unhealthy": "com falha",
    "unknown": "desconhecida",
    "full": "cheia",
    "above": "acima de",
    "below": "abaixo de",
    "more": "mais",
    "less": "menos",
    "less than 1": "menos de 1",
    "health": "a saúde geral",
    "paused": "pausada",
    "cancelled": "cancelada",
}
"""Units, states and other single words."""

LABELS: Final[Mapping[str, str]] = {
    "mean response time": "tempo médio de resposta",
    "median of response time": "mediana do tempo de resposta",
    "95th percentile of response time": "percentil 95 do tempo de resposta",
    "time of the first probe": "tempo da primeira sondagem",
    "mean time of sends": "tempo médio dos envios",
    "error rate": "taxa de erros",
    "messages per second": "mensagens por segundo",
    "requests in the window": "requisições na janela",
    "calls in flight": "chamadas em andamento",
    "active connections": "conexões ativas",
    "retry success rate": "taxa de sucesso das novas tentativas",
    "share of unacknowledged sends": "fração de envios sem confirmação",
    "number of refused messages": "número de mensagens recusadas",
    "age of the last event": "idade do último evento",
    "memory of this process": "memória deste processo",
    "CPU use of this process": "uso de CPU deste processo",
    "lag of the event loop": "atraso do loop de eventos",
    "number of messages waiting in the outbox": "número de mensagens esperando no outbox",
    "age of the oldest message due in the outbox": (
        "idade da mensagem mais antiga a enviar no outbox"
    ),
    "number of messages that may or may not have been sent": (
        "número de mensagens que podem ou não ter sido enviadas"
    ),
    "number of instances that the outbox has paused for trouble": (
        "número de instâncias que o outbox pausou por problemas"
    ),
    "messages of the outbox sent per second": "mensagens do outbox enviadas por segundo",
    "95th percentile of the time from hand-over until sent": (
        "percentil 95 do tempo entre a entrega à caixa e o envio"
    ),
}
"""Names of the metrics."""

PHRASES: Final[Mapping[str, str]] = {
    # health.py
    "the server does not answer ({})": "o servidor não responde ({})",
    "the server has no active licence and refuses every call: activate it at {}": (
        "o servidor não tem licença ativa e recusa todas as chamadas: ative em {}"
    ),
    "calls are answered, but not the monitor's questions ({})": (
        "as chamadas são respondidas, mas não as perguntas do monitor ({})"
    ),
    "responses take {n} ms on average": "as respostas levam {} ms em média",
    "{n} of {n} requests failed": "{} de {} requisições falharam",
    "{n} of {n} retried calls succeeded": "{} de {} chamadas repetidas tiveram sucesso",
    "the circuit breaker of {} is open": "o circuit breaker de {} está aberto",
    "the circuit breaker of {} is open after {}": "o circuit breaker de {} está aberto após {}",
    "instance {}: {}": "instância {}: {}",
    "5 % of responses take {n} ms or longer": "5 % das respostas levam {} ms ou mais",
    "its state is not known: the server does not tell it": (
        "o estado não é conhecido: o servidor não o informa"
    ),
    "{n} of {n} sends got no SERVER_ACK within {n} s": (
        "{} de {} envios ficaram sem SERVER_ACK em {} s"
    ),
    "WhatsApp refused {n} messages within {n} minutes": (
        "o WhatsApp recusou {} mensagens em {} minutos"
    ),
    "WhatsApp refused {n} messages within {n} minutes ({}). {}": (
        "o WhatsApp recusou {} mensagens em {} minutos ({}). {}"
    ),
    "no event for {n} minutes, where about {n} are usual": (
        "nenhum evento há {} minutos, em que cerca de {} seriam normais"
    ),
    "it does not exist on the server": "não existe no servidor",
    "the server refuses the API key for it": "o servidor recusa a chave de API para ela",
    "the server did not tell its state": "o servidor não informou o estado",
    "the server has not loaded it: no state is told": (
        "o servidor não a carregou: nenhum estado é informado"
    ),
    "it is closed: WhatsApp is not connected": "está fechada: o WhatsApp não está conectado",
    "it has been connecting for {n} s": "está conectando há {} s",
    "it is connecting": "está conectando",
    "its state {} is not known": "o estado {} não é conhecido",
    "it says open, but its socket is dead (the deep probe: Connection Closed)": (
        "diz estar aberta, mas o socket está morto (sondagem profunda: Connection Closed)"
    ),
    "it says open, but its last {n} calls ended in Connection Closed": (
        "diz estar aberta, mas as últimas {} chamadas terminaram em Connection Closed"
    ),
    # health_tracker.py, hysteresis.py
    "the instances could not be listed ({})": "não foi possível listar as instâncias ({})",
    "the server has no instance: nothing is connected to WhatsApp": (
        "o servidor não tem instância: nada está conectado ao WhatsApp"
    ),
    "recovering: {}": "recuperando: {}",
    "recovering: {}; was: {}": "recuperando: {}; antes: {}",
    "quiet for {n} of {n} s": "sem problemas há {} de {} s",
    "{n} of {n} good checks": "{} de {} verificações boas",
    # alert.py, forecast.py
    "{} is {n} ({}), {side} {n}": "{} é {} ({}), {} {}",
    "{} is {n} ({}), {side} {n}. {}": "{} é {} ({}), {} {}. {}",
    "health is {status}": "a saúde geral está {}",
    "health is {status}: {}": "a saúde geral está {}: {}",
    "instance {} is {status}": "a instância {} está {}",
    "instance {} is {status}: {}": "a instância {} está {}: {}",
    "and {n} more": "e mais {}",
    "{} reaches {} ({}), {status}, in about {} min at this rate": (
        "{} chega a {} ({}), {}, em cerca de {} min neste ritmo"
    ),
    # recovery.py
    "instance {} does not exist: no restart can help": (
        "a instância {} não existe: reiniciar não adianta"
    ),
    "instance {} refuses our API key: no restart can help": (
        "a instância {} recusa a nossa chave de API: reiniciar não adianta"
    ),
    "instance {} must be paired with its phone again": (
        "a instância {} precisa ser pareada de novo com o telefone"
    ),
    "instance {} did not come back after {n} restarts": (
        "a instância {} não voltou depois de {} reinícios"
    ),
    # server_identity.py
    "the server changed its version from {} to {}": "o servidor mudou da versão {} para {}",
    "the server tells version {} and {} in turn: several servers answer under one address, or a "
    "change of version was taken back": (
        "o servidor informa ora a versão {}, ora {}: vários servidores respondem no mesmo "
        "endereço, ou uma mudança de versão foi desfeita"
    ),
    "the server is version {} of the Evolution API: this SDK speaks to version {} only. Upgrade "
    "the server": (
        "o servidor é a versão {} da Evolution API: este SDK fala somente com a versão {}. "
        "Atualize o servidor"
    ),
    "the server is version {}, newer than this SDK knows ({}): look for a newer SDK": (
        "o servidor é a versão {}, mais nova do que este SDK conhece ({}): procure um SDK mais novo"
    ),
    "the server was asked for its version and told {}: set EVOLUTION_SERVER_VERSION if you know "
    "it": (
        "o servidor foi perguntado pela versão e respondeu {}: defina EVOLUTION_SERVER_VERSION se "
        "souber qual é"
    ),
    "the settings say that the server is version {}, and it tells {}: calls go by the settings "
    "(EVOLUTION_SERVER_VERSION)": (
        "as configurações dizem que o servidor é a versão {}, e ele informa {}: as chamadas seguem "
        "as configurações (EVOLUTION_SERVER_VERSION)"
    ),
    "versions told under this address, in turn: {}": (
        "versões informadas neste endereço, alternadamente: {}"
    ),
    "the server says that its licence is {}": "o servidor diz que a licença está {}",
    # anomaly/judgement.py, anomalies.py, level_shift.py
    "{n} is unusual": "{} é incomum",
    "No value for about {n} usual intervals.": "Nenhum valor há cerca de {} intervalos normais.",
    "nothing is known yet about what is usual": "ainda não se sabe o que é normal",
    "usual is {n} to {n}": "o normal é de {} a {}",
    "The value {n} came {n} times in a row; {}.": "O valor {} veio {} vezes seguidas; {}.",
    "Values vary {side} than usual: {n} times as much; {}.": (
        "Os valores variam {} do que o normal: {} vezes; {}."
    ),
    "The level has moved to about {n}; {}.": "O nível passou para cerca de {}; {}.",
    "The value {n} is unusual; {}.": "O valor {} é incomum; {}.",
    "No value.": "Nenhum valor.",
    "The value {n} is ordinary; {}.": "O valor {} é normal; {}.",
    # The advice of sample.py.
    "WhatsApp refuses what the server has accepted: stop writing first to strangers, do not send "
    "the refused messages again, and see the reasons of the instances": (
        "o WhatsApp recusa o que o servidor aceitou: pare de escrever primeiro a estranhos, não "
        "reenvie as mensagens recusadas e veja os motivos das instâncias"
    ),
    "no worker sends it: see that `python -m evolution_sdk outbox run` runs, and what is paused": (
        "nenhum worker a envia: veja se `python -m evolution_sdk outbox run` está rodando e o que "
        "está pausado"
    ),
    "look at the phone, then `python -m evolution_sdk outbox resolve KEY --sent` or `--not-sent`; "
    "`outbox list --state unknown` names them": (
        "olhe no telefone e depois `python -m evolution_sdk outbox resolve KEY --sent` ou "
        "`--not-sent`; `outbox list --state unknown` mostra quais são"
    ),
    "the outbox tries again by itself and loses nothing; the reasons are in the details": (
        "o outbox tenta de novo sozinho e não perde nada; os motivos estão nos detalhes"
    ),
    # The reasons of resilience/breaker.py.
    "{n} failures in a row": "{} falhas seguidas",
    "{n} failures in a row, last: {}": "{} falhas seguidas, a última: {}",
    "{n} of {n} attempts failed": "{} de {} tentativas falharam",
    "{n} of {n} attempts failed, last: {}": "{} de {} tentativas falharam, a última: {}",
    # models/refusals.py
    "Stop writing first to strangers, and do not send it again: each repetition counts as another "
    "attempt and makes the lock last. Whoever writes to this account, and chats that exist, can "
    "still be answered.": (
        "Pare de escrever primeiro a estranhos e não reenvie: cada repetição conta como outra "
        "tentativa e prolonga o bloqueio. Quem escreve a esta conta, e as conversas que já "
        "existem, ainda podem ser respondidos."
    ),
    "Write first to nobody new until WhatsApp's month is over; chats that exist go on.": (
        "Não escreva primeiro a ninguém novo até o fim do mês do WhatsApp; as conversas que já "
        "existem continuam."
    ),
    "WhatsApp does not take this message in this form: send another kind, and update the server.": (
        "O WhatsApp não aceita a mensagem nesta forma: envie outro tipo e atualize o servidor."
    ),
    "Check the recipient, restart the instance, then send it once more.": (
        "Confira o destinatário, reinicie a instância e envie mais uma vez."
    ),
    "Restart the instance, so that the server reads the group anew, then send it again.": (
        "Reinicie a instância, para que o servidor leia o grupo de novo, e reenvie."
    ),
    "A fault on the other side: send it once more, later.": (
        "Uma falha do outro lado: envie mais uma vez, mais tarde."
    ),
    "Do not send it again: it will be refused again.": "Não reenvie: será recusada de novo.",
    "the reach-out time-lock: for a while this account may not begin new chats, or it lacks the "
    "privacy token of this contact": (
        "o bloqueio temporário de primeiro contato: por um tempo esta conta não pode iniciar novas "
        "conversas, ou falta o token de privacidade deste contato"
    ),
    "the form of the message or its address is invalid (smax-invalid); likely a stale session with "
    "the recipient's device": (
        "a forma da mensagem ou o endereço é inválido (smax-invalid); provavelmente uma sessão "
        "antiga com o aparelho do destinatário"
    ),
    "the group's addressing has changed since the server read it last": (
        "o endereçamento do grupo mudou desde que o servidor o leu"
    ),
    "the month's limit of first messages to new chats is reached": (
        "o limite mensal de primeiras mensagens a novas conversas foi atingido"
    ),
    "it could not be parsed": "não pôde ser interpretada",
    "its stanza is not recognised": "a stanza não é reconhecida",
    "the class of its stanza is not recognised": "a classe da stanza não é reconhecida",
    "the type of its stanza is not recognised": "o tipo da stanza não é reconhecido",
    "its protobuf is invalid": "o protobuf é inválido",
    "its stanza is invalid for a hosted companion": (
        "a stanza é inválida para um aparelho hospedado"
    ),
    "the secret of the message it refers to is missing": (
        "falta o segredo da mensagem a que ela se refere"
    ),
    "the counter of the encrypted session is old": "o contador da sessão cifrada é antigo",
    "the message it refers to was deleted": "a mensagem a que ela se refere foi apagada",
    "an error that was not handled": "um erro que não foi tratado",
    "an administrator's deletion is not supported here": (
        "a exclusão por um administrador não é aceita aqui"
    ),
    "groups with hidden ids (LID) are not supported here": (
        "grupos com ids ocultos (LID) não são aceitos aqui"
    ),
    "a database operation failed": "uma operação do banco de dados falhou",
    "WhatsApp gave a code of which no meaning is public": (
        "o WhatsApp deu um código cujo significado não é público"
    ),
    "Do not send it again before you know more: look for the code in the issues of Baileys.": (
        "Não reenvie antes de saber mais: procure o código nas issues do Baileys."
    ),
    "the server does not pass on WhatsApp's reason": "o servidor não repassa o motivo do WhatsApp",
    'The server\'s log has it, as "received error in ack" (LOG_BAILEYS=warn). Do not send it again '
    "before you know it: the usual reason in 2026 is the reach-out time-lock (463), and "
    "repetitions make that worse.": (
        'O log do servidor o tem, como "received error in ack" (LOG_BAILEYS=warn). Não reenvie '
        "antes de saber: o motivo usual em 2026 é o bloqueio de primeiro contato (463), e repetir "
        "o piora."
    ),
    "Meta could not deliver it, and the server does not pass on Meta's reason": (
        "a Meta não conseguiu entregar, e o servidor não repassa o motivo da Meta"
    ),
    "Look at the number's quality and limits in Meta's WhatsApp manager.": (
        "Veja a qualidade e os limites do número no gerenciador do WhatsApp da Meta."
    ),
}
"""Sentences, by source."""
