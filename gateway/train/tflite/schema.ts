/*
 * What of TensorFlow Lite's file format (schema.fbs, version 3) Whetstone reads and writes: field
 * numbers of its tables and codes of its enumerations, in the schema's order.
 */

/** First bytes of every file, after the root offset. */
export const IDENTIFIER = 'TFL3';
export const SCHEMA_VERSION = 3;

export const MODEL = {
  version: 0,
  operatorCodes: 1,
  subgraphs: 2,
  description: 3,
  buffers: 4,
  metadata: 6,
  externalBufferGroups: 8,
  externalBuffers: 9,
} as const;
export const OPERATOR_CODE = {
  deprecatedCode: 0,
  customCode: 1,
  version: 2,
  code: 3,
} as const;
export const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3, name: 4 } as const;
export const TENSOR = {
  shape: 0,
  type: 1,
  buffer: 2,
  name: 3,
  quantization: 4,
  isVariable: 5,
  sparsity: 6,
  shapeSignature: 7,
  hasRank: 8,
  externalBuffer: 10,
} as const;
export const QUANTIZATION = { scale: 2, zeroPoint: 3, detailsType: 4, dimension: 6 } as const;
export const OPERATOR = {
  opcode: 0,
  inputs: 1,
  outputs: 2,
  optionsType: 3,
  options: 4,
} as const;
export const BUFFER = { data: 0, offset: 1, size: 2 } as const;
export const METADATA = { name: 0, buffer: 1 } as const;

/** Fields of the operators' options. */
export const CONV = {
  padding: 0,
  strideWidth: 1,
  strideHeight: 2,
  activation: 3,
  dilationWidth: 4,
  dilationHeight: 5,
} as const;
export const DEPTHWISE = {
  padding: 0,
  strideWidth: 1,
  strideHeight: 2,
  depthMultiplier: 3,
  activation: 4,
  dilationWidth: 5,
  dilationHeight: 6,
} as const;
export const POOL = {
  padding: 0,
  strideWidth: 1,
  strideHeight: 2,
  kernelWidth: 3,
  kernelHeight: 4,
  activation: 5,
} as const;
export const DENSE = { activation: 0, weightsFormat: 1 } as const;
export const SOFTMAX = { beta: 0 } as const;
export const ADD = { activation: 0 } as const;
export const RESHAPE = { newShape: 0 } as const;
export const REDUCER = { keepDims: 0 } as const;

/** Codes of the union BuiltinOptions. */
export const OPTIONS = {
  conv: 1,
  depthwise: 2,
  pool: 5,
  dense: 8,
  softmax: 9,
  add: 11,
  reshape: 17,
  reducer: 27,
} as const;

export const TYPE = { FLOAT32: 0, INT32: 2, INT64: 4, INT8: 9 } as const;

/** Names of TensorType, by code. */
export const TYPE_NAMES = [
  ...['float32', 'float16', 'int32', 'uint8', 'int64', 'string', 'bool', 'int16', 'complex64'],
  ...['int8', 'float64', 'complex128', 'uint64', 'resource', 'variant', 'uint32', 'uint16', 'int4'],
  ...['bfloat16', 'int2', 'uint4', 'float8', 'float8'],
];

/** Padding, by code. */
export const PADDINGS = ['same', 'valid'] as const;

/** ActivationFunctionType, by code; those that are not named here are refused. */
export const ACTIVATIONS = { 0: 'none', 1: 'relu', 3: 'relu6' } as const;

/** Codes of the operators that are read or written. */
export const CODE = {
  ADD: 0,
  AVERAGE_POOL_2D: 1,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  DEQUANTIZE: 6,
  FULLY_CONNECTED: 9,
  LOGISTIC: 14,
  MAX_POOL_2D: 17,
  RESHAPE: 22,
  SOFTMAX: 25,
  MEAN: 40,
  SQUEEZE: 43,
  EXPAND_DIMS: 70,
  QUANTIZE: 114,
} as const;

/** Names of BuiltinOperator, by code: a refusal says what it met. */
export const CODE_NAMES = [
  ...['ADD', 'AVERAGE_POOL_2D', 'CONCATENATION', 'CONV_2D', 'DEPTHWISE_CONV_2D', 'DEPTH_TO_SPACE'],
  ...['DEQUANTIZE', 'EMBEDDING_LOOKUP', 'FLOOR', 'FULLY_CONNECTED', 'HASHTABLE_LOOKUP'],
  ...['L2_NORMALIZATION', 'L2_POOL_2D', 'LOCAL_RESPONSE_NORMALIZATION', 'LOGISTIC'],
  ...['LSH_PROJECTION', 'LSTM', 'MAX_POOL_2D', 'MUL', 'RELU', 'RELU_N1_TO_1', 'RELU6', 'RESHAPE'],
  ...['RESIZE_BILINEAR', 'RNN', 'SOFTMAX', 'SPACE_TO_DEPTH', 'SVDF', 'TANH', 'CONCAT_EMBEDDINGS'],
  ...['SKIP_GRAM', 'CALL', 'CUSTOM', 'EMBEDDING_LOOKUP_SPARSE', 'PAD'],
  ...['UNIDIRECTIONAL_SEQUENCE_RNN', 'GATHER', 'BATCH_TO_SPACE_ND', 'SPACE_TO_BATCH_ND'],
  ...['TRANSPOSE', 'MEAN', 'SUB', 'DIV', 'SQUEEZE', 'UNIDIRECTIONAL_SEQUENCE_LSTM'],
  ...['STRIDED_SLICE', 'BIDIRECTIONAL_SEQUENCE_RNN', 'EXP', 'TOPK_V2', 'SPLIT', 'LOG_SOFTMAX'],
  ...['DELEGATE', 'BIDIRECTIONAL_SEQUENCE_LSTM', 'CAST', 'PRELU', 'MAXIMUM', 'ARG_MAX', 'MINIMUM'],
  ...['LESS', 'NEG', 'PADV2', 'GREATER', 'GREATER_EQUAL', 'LESS_EQUAL', 'SELECT', 'SLICE', 'SIN'],
  ...['TRANSPOSE_CONV', 'SPARSE_TO_DENSE', 'TILE', 'EXPAND_DIMS', 'EQUAL', 'NOT_EQUAL', 'LOG'],
  ...['SUM', 'SQRT', 'RSQRT', 'SHAPE', 'POW', 'ARG_MIN', 'FAKE_QUANT', 'REDUCE_PROD'],
  ...['REDUCE_MAX', 'PACK', 'LOGICAL_OR', 'ONE_HOT', 'LOGICAL_AND', 'LOGICAL_NOT', 'UNPACK'],
  ...['REDUCE_MIN', 'FLOOR_DIV', 'REDUCE_ANY', 'SQUARE', 'ZEROS_LIKE', 'FILL', 'FLOOR_MOD'],
  ...['RANGE', 'RESIZE_NEAREST_NEIGHBOR', 'LEAKY_RELU', 'SQUARED_DIFFERENCE', 'MIRROR_PAD'],
  ...['ABS', 'SPLIT_V', 'UNIQUE', 'CEIL', 'REVERSE_V2', 'ADD_N', 'GATHER_ND', 'COS', 'WHERE'],
  ...['RANK', 'ELU', 'REVERSE_SEQUENCE', 'MATRIX_DIAG', 'QUANTIZE', 'MATRIX_SET_DIAG', 'ROUND'],
  ...['HARD_SWISH', 'IF', 'WHILE', 'NON_MAX_SUPPRESSION_V4', 'NON_MAX_SUPPRESSION_V5'],
  ...['SCATTER_ND', 'SELECT_V2', 'DENSIFY', 'SEGMENT_SUM', 'BATCH_MATMUL'],
];
